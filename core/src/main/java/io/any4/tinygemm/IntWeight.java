package io.any4.tinygemm;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// An 8-bit integer weight: `w[i][j] = code[i][j] * scale[i][j / groupSize] + zero[i][j / groupSize]`.
///
/// @param groupSize consecutive elements of a row that share a scale
/// @param codes `[rows, columns]`: I8 (-128..127) without a zero, U8 (0..255) with one
/// @param scale F16, BF16 or F32 `[rows, ceil(columns / groupSize)]`
/// @param zero like `scale`, or null for the symmetric format
public record IntWeight(
        int groupSize, Tensor codes, Tensor scale, @Nullable Tensor zero) implements Weight {
    public IntWeight {
        if (groupSize <= 0) {
            throw new IllegalArgumentException("the group size must be positive, not " + groupSize);
        }
        if (codes.dtype() != DType.I8 && codes.dtype() != DType.U8) {
            throw new IllegalArgumentException("codes must be I8 or U8, not " + codes.dtype());
        }
    }

    @Override
    public int rows() {
        return Math.toIntExact(codes.rows());
    }

    @Override
    public int columns() {
        return Math.toIntExact(codes.columns());
    }

    /// Groups per row, the last one possibly short.
    public int groups() {
        return Math.ceilDiv(columns(), groupSize);
    }

    @Override
    public long bytes() {
        return codes.data().byteSize()
                + scale.data().byteSize()
                + (zero == null ? 0 : zero.data().byteSize());
    }

    @Override
    public void dequantizeRow(int row, float[] out, int offset) {
        int columns = columns();
        long group0 = (long) row * groups();
        for (int j = 0; j < columns; j++) {
            long group = group0 + j / groupSize;
            float shift = zero == null ? 0f : zero.getFloat(group);
            out[offset + j] = codes.getFloat((long) row * columns + j) * scale.getFloat(group) + shift;
        }
    }
}
