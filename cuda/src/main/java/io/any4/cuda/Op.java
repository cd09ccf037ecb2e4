package io.any4.cuda;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Span;

/// A recorded operation of [io.any4.tinygemm.Device]; arrays belong to the record.
sealed interface Op {
    /// The buffer that the operation changes.
    CudaBuffer out();

    record Embed(CudaMatrix table, int[] ids, CudaBuffer out) implements Op {}

    record MatMul(CudaMatrix w, CudaBuffer x, int tokens, CudaBuffer out) implements Op {}

    record AddBias(CudaBuffer out, CudaBuffer bias, int tokens, int width) implements Op {}

    record Add(CudaBuffer out, CudaBuffer y, long length) implements Op {}

    record Norm(CudaBuffer x, CudaBuffer gain, float epsilon, int rows, int width, CudaBuffer out) implements Op {}

    record Rotate(CudaBuffer out, CudaBuffer frequencies, int heads, int headDim, Span span) implements Op {}

    record Store(CudaBuffer source, int width, CudaBuffer out, Span span) implements Op {}

    record Attend(CudaBuffer q, CudaBuffer keys, CudaBuffer values, AttentionShape shape, Span span, CudaBuffer out)
            implements Op {}

    record Swiglu(CudaBuffer gate, CudaBuffer up, long length, CudaBuffer out) implements Op {}

    record Gather(CudaBuffer x, int[] rows, int width, CudaBuffer out) implements Op {}

    record Scatter(CudaBuffer x, int[] rows, float[] factors, int width, CudaBuffer out) implements Op {}
}
