package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A weight of codes with scales and zeros per group.
///
/// Scales multiply what a code stands for before it meets a token. Zeros never touch the weights: they are numbers in
/// front of a row that meet the sums of a token's groups, `y = sum_g zero[g] * sum[g] + sum_i scaled[i] * x[i]`.
abstract class GroupedMatrix extends FusedMatrix {
    final Arrangement arrangement;
    final GroupedRows packed;

    /// @param tables as in [GroupedRows]
    GroupedMatrix(
            Weight weight,
            Tensor codes,
            Tensor scale,
            @Nullable Tensor zero,
            float[] tables,
            Arrangement arrangement,
            int blockBytes,
            Team team) {
        super(weight);
        this.arrangement = arrangement;
        this.packed = new GroupedRows(codes, scale, zero, tables, arrangement, blockBytes, team);
    }

    @Override
    public final int arrangedLength() {
        return arrangement.length();
    }

    @Override
    public final void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        arrangement.arrange(x, offset, arranged, target);
    }

    @Override
    final int decodeSpace() {
        return arrangement.blocks * LANES;
    }

    /// All that is read is our own copy.
    @Override
    final boolean isAlive() {
        return true;
    }

    @Override
    final void decode(int row, long out, float[] scratch) {
        packed.copyZeros(row, out);
        packed.spread(row, scratch);
        decodeCodes(row, out + 4L * arrangement.columnsAt(), scratch);
    }

    @Override
    final void sum(long x, long sums, int r, int stride, int last) {
        packed.start(x, sums, r, stride, last);
        addBlocks(x + 4L * arrangement.columnsAt(), sums, r, stride, last);
    }

    /// Adds the blocks of the rows `min(r + i * stride, last)` to their sums.
    ///
    /// @param x the address of the token's columns
    abstract void addBlocks(long x, long sums, int r, int stride, int last);

    /// Writes a row's scaled codes as floats to address `out`; `scales` has a vector for each block.
    abstract void decodeCodes(int row, long out, float[] scales);
}
