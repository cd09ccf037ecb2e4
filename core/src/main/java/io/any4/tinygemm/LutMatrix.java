package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.BYTES;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// A table weight for 512-bit vectors, where a row's whole table is one register and a lookup is one permutation.
///
/// The permutation looks at the low four bits of a lane only: the next codes come down by a shift, and nothing needs
/// masking. Tables with fewer than 16 entries are repeated, so that the bits above a short code do not matter.
abstract class LutMatrix extends GroupedMatrix {
    private static final int TABLE = 16;
    private static final int BLOCK_BYTES = 64;

    private final float[] tables;
    private final int tableStride;

    /// @param codes the weight's codes, in `bits` bits each
    LutMatrix(LutWeight weight, Tensor codes, int bits) {
        super(
                weight,
                codes,
                weight.scale(),
                weight.zero(),
                new Arrangement(weight.columns(), 32 / bits, weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES);
        tables = LutTables.repeated(weight, TABLE);
        tableStride = weight.lut().rows() == 1 ? 0 : TABLE;
    }

    /// Whether this process has vectors of 512 bits and the group size fits codes of so many bits.
    static boolean fits(LutWeight weight, int bits) {
        return LANES == TABLE && Arrangement.fits(weight.columns(), 32 / bits, weight.groupSize());
    }

    final FloatVector table(int row) {
        return FloatVector.fromArray(FLOATS, tables, row * tableStride);
    }

    /// The codes of a block that is whole.
    final IntVector load(long rowStart, int block) {
        return IntVector.fromMemorySegment(INTS, codes, rowStart + (long) BLOCK_BYTES * block, ORDER);
    }

    /// The codes after the last whole block, and zeros.
    final IntVector loadLast(long rowStart) {
        long at = (long) BLOCK_BYTES * full;
        int left = (int) (rowBytes - at);
        return ByteVector.fromMemorySegment(BYTES, codes, rowStart + at, ORDER, BYTES.indexInRange(0, left))
                .reinterpretAsInts();
    }

    @Override
    final void decodeCodes(int row, float[] panel, int at, int scales) {
        IntVector table = table(row).reinterpretAsInts();
        long start = row * rowBytes;
        int b = 0;
        for (; b < full; b++) {
            decodeBlock(load(start, b), table, arrangement.scale(panel, scales, b), panel, at + b * arrangement.block);
        }
        if (b < arrangement.blocks) {
            decodeBlock(loadLast(start), table, arrangement.scale(panel, scales, b), panel, at + b * arrangement.block);
        }
    }

    abstract void decodeBlock(IntVector codes, IntVector table, FloatVector scale, float[] panel, int at);

    @Override
    final void product(float[] x, float[] y, int from, int to) {
        float[] scratch = Scratch.floats(4 * arrangement.scaleSpace() + 4 * LANES);
        int quarter = (to - from) / 4;
        // four far-apart streams keep more memory requests in flight than four neighbouring rows
        for (int r = from; r < from + quarter; r++) {
            four(x, y, scratch, r, r + quarter, r + 2 * quarter, r + 3 * quarter);
        }
        for (int r = from + 4 * quarter; r < to; r++) {
            four(x, y, scratch, r, r, r, r);
        }
    }

    /// Between the steps, sums live in scratch memory and not in variables: a vector that crosses a call which the
    /// compiler does not inline becomes an object, and so does everything it is added to.
    private void four(float[] x, float[] y, float[] scratch, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        int sums = 4 * space;
        begin(x, scratch, 0, sums, r0);
        begin(x, scratch, space, sums + LANES, r1);
        begin(x, scratch, 2 * space, sums + 2 * LANES, r2);
        begin(x, scratch, 3 * space, sums + 3 * LANES, r3);
        addBlocks(x, scratch, sums, r0, r1, r2, r3);
        if (full < arrangement.blocks) {
            addLast(x, scratch, 0, sums, r0);
            addLast(x, scratch, space, sums + LANES, r1);
            addLast(x, scratch, 2 * space, sums + 2 * LANES, r2);
            addLast(x, scratch, 3 * space, sums + 3 * LANES, r3);
        }
        Gemm.putSums(scratch, sums, y, 0, r0, r1, r2, r3);
    }

    /// Widens a row's scales, and starts its sum with the zeros' share.
    private void begin(float[] x, float[] scratch, int scales, int sumAt, int row) {
        widenScales(row, scratch, scales);
        FloatVector sum = FloatVector.zero(FLOATS);
        if (zero != null) {
            for (int g = 0; g < arrangement.groups; g += LANES) {
                sum = zero.load(row, g).fma(FloatVector.fromArray(FLOATS, x, g), sum);
            }
        }
        sum.intoArray(scratch, sumAt);
    }

    /// Adds the whole blocks of four rows to their sums at `scratch[sums ..]`; their scales stand from 0 on, at
    /// multiples of the scale space.
    abstract void addBlocks(float[] x, float[] scratch, int sums, int r0, int r1, int r2, int r3);

    /// Adds what comes after a row's last whole block to its sum at `scratch[sumAt ..]`.
    abstract void addLast(float[] x, float[] scratch, int scales, int sumAt, int row);
}
