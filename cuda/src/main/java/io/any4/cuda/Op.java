package io.any4.cuda;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Routes;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Span;

/// A recorded operation of [io.any4.tinygemm.Device]; arrays belong to the record.
sealed interface Op {
    /// The buffer that the operation changes.
    CudaBuffer out();

    record Embed(CudaMatrix table, int[] ids, CudaBuffer out) implements Op {}

    /// @param chosen holds the one id
    record EmbedChosen(CudaMatrix table, CudaBuffer chosen, CudaBuffer out) implements Op {}

    record MatMul(CudaMatrix w, CudaBuffer x, int tokens, CudaBuffer out) implements Op {}

    record AddBias(CudaBuffer out, CudaBuffer bias, int tokens, int width) implements Op {}

    record Add(CudaBuffer out, CudaBuffer y, long length) implements Op {}

    record Norm(CudaBuffer x, CudaBuffer gain, float epsilon, int rows, int width, CudaBuffer out) implements Op {}

    record Rotate(CudaBuffer out, CudaBuffer frequencies, int heads, int headDim, Span span, int position)
            implements Op {}

    record Store(CudaBuffer source, int width, CudaBuffer out, Span span, int position) implements Op {}

    record Attend(
            CudaBuffer q,
            CudaBuffer keys,
            CudaBuffer values,
            AttentionShape shape,
            Span span,
            int position,
            CudaBuffer out)
            implements Op {}

    record Swiglu(CudaBuffer gate, CudaBuffer up, long length, CudaBuffer out) implements Op {}

    record Gather(CudaBuffer x, int[] rows, int width, CudaBuffer out) implements Op {}

    record Scatter(CudaBuffer x, int[] rows, float[] factors, int width, CudaBuffer out) implements Op {}

    record Transform(CudaBuffer x, CudaTransform transform, int rows, CudaBuffer out) implements Op {}

    record Route(CudaBuffer scores, int experts, Routes routes, CudaBuffer out) implements Op {}

    /// @param choices the routes' pairs
    /// @param shared whether x has a row per token, rather than one per choice
    record RoutedMatMul(CudaStack w, Routes routes, CudaBuffer choices, boolean shared, CudaBuffer x, CudaBuffer out)
            implements Op {
        /// Rows of x.
        int rowsOfX() {
            return shared ? routes.tokens() : routes.slots();
        }

        /// Matrices that each row of x takes.
        int choicesPerRow() {
            return shared ? routes.perToken() : 1;
        }
    }

    record Combine(CudaBuffer x, Routes routes, CudaBuffer choices, int width, CudaBuffer out) implements Op {}

    record Choose(CudaBuffer logits, int row, int count, Sampling sampling, int draw, CudaBuffer out) implements Op {}
}
