package io.any4.tinygemm;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/// A weight of 2, 3 or 4 bits: every element is an entry of a table, scaled and shifted per group.
///
///     w[i][j] = lut[i or 0][code[i][j]] * scale[i][j / groupSize] + zero[i][j / groupSize]
///
/// This one layout holds int4 (table 0..15), nf4, fp4, MX4 (fixed tables) and any4, any3, any2 (a learned table
/// per row, arXiv 2507.04610, section 3).
///
/// @param bits bits per code: 2, 3 or 4
/// @param columns input features; the last group of a row may be short
/// @param groupSize consecutive elements of a row that share a scale
/// @param codes U8 `[rows, ceil(columns * bits / 8)]`, a little-endian bit stream per row: code `j` occupies bits
///     `j * bits` up, so at 4 bits the low nibble is the even column
/// @param lut F16, BF16 or F32 `[rows, 2^bits]`, or `[1, 2^bits]` for a table that all rows share
/// @param scale F16, BF16, F32, E8M0 or I8 `[rows, ceil(columns / groupSize)]`; may be negative or 0
/// @param zero like `scale`, or null for a symmetric format
public record LutWeight(
        int bits,
        int columns,
        int groupSize,
        Tensor codes,
        Tensor lut,
        Tensor scale,
        @Nullable Tensor zero) implements Weight {
    public LutWeight {
        require(bits >= 2 && bits <= 4, "bits must be 2, 3 or 4, not " + bits);
        require(groupSize > 0, "the group size must be positive, not " + groupSize);
        long rows = codes.rows();
        require(
                codes.dtype() == DType.U8 && codes.columns() == BitPacking.rowBytes(columns, bits),
                "codes have shape %s, expected U8 [%d, %d]"
                        .formatted(codes.shape(), rows, BitPacking.rowBytes(columns, bits)));
        require(
                (lut.rows() == rows || lut.rows() == 1) && lut.columns() == 1 << bits,
                "the table has shape %s, expected [%d or 1, %d]".formatted(lut.shape(), rows, 1 << bits));
        requireGroups(scale, rows, columns, groupSize);
        if (zero != null) {
            requireGroups(zero, rows, columns, groupSize);
        }
    }

    private static void requireGroups(Tensor perGroup, long rows, int columns, int groupSize) {
        long groups = Math.ceilDiv(columns, groupSize);
        require(
                perGroup.rows() == rows && perGroup.columns() == groups,
                "scales or zeros have shape %s, expected [%d, %d]".formatted(perGroup.shape(), rows, groups));
    }

    private static void require(boolean condition, String message) {
        if (!condition) {
            throw new IllegalArgumentException(message);
        }
    }

    @Override
    public int rows() {
        return Math.toIntExact(codes.rows());
    }

    /// Groups per row, the last one possibly short.
    public int groups() {
        return Math.ceilDiv(columns, groupSize);
    }

    /// Table entries per row.
    public int levels() {
        return 1 << bits;
    }

    /// Whether all rows read the same table.
    public boolean sharedTable() {
        return lut.rows() == 1 && rows() != 1;
    }

    /// Whether scales are whole numbers and there are no zeros, as any4s and its kin have it.
    public boolean hasWholeScales() {
        return scale.dtype() == DType.I8 && zero == null;
    }

    @Override
    public long bytes() {
        return codes.data().byteSize()
                + lut.data().byteSize()
                + scale.data().byteSize()
                + (zero == null ? 0 : zero.data().byteSize());
    }

    @Override
    public void dequantizeRow(int row, float[] out, int offset) {
        int levels = levels();
        float[] table = Scratch.table();
        lut.copyTo(lut.rows() == 1 ? 0 : (long) row * levels, table, 0, levels);
        byte[] code = Scratch.bytes(columns);
        BitPacking.unpackRow(codes, row, bits, code, columns);
        long group0 = (long) row * groups();
        for (int j = 0; j < columns; j++) {
            long group = group0 + j / groupSize;
            float shift = zero == null ? 0f : zero.getFloat(group);
            out[offset + j] = table[code[j]] * scale.getFloat(group) + shift;
        }
    }
}
