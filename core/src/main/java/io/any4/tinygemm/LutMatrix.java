package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;

/// A table weight for 512-bit vectors, where a row's whole table is one register and a lookup is one permutation.
///
/// The permutation looks at the low four bits of a lane only: the next codes come down by a shift, and nothing needs
/// masking. Tables with fewer than 16 entries are repeated, so that the bits above a short code do not matter.
///
/// Between the steps of a product, sums live in scratch memory and not in variables: a vector that crosses a call which
/// the compiler does not inline becomes an object, and so does everything it is added to.
abstract class LutMatrix extends GroupedMatrix {
    static final int BLOCK_BYTES = 64;
    private static final int TABLE = 16;

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

    @Override
    final void product(MemorySegment x, float[] y, int from, int to) {
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

    private void four(MemorySegment x, float[] y, float[] scratch, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        int sums = 4 * space;
        begin(x, scratch, 0, sums, r0);
        begin(x, scratch, space, sums + LANES, r1);
        begin(x, scratch, 2 * space, sums + 2 * LANES, r2);
        begin(x, scratch, 3 * space, sums + 3 * LANES, r3);
        addBlocks(x, scratch, false, r0, r1, r2, r3);
        if (codes.hasEnds()) {
            addBlocks(x, scratch, true, r0, r1, r2, r3);
        }
        Gemm.putSums(scratch, sums, y, 0, r0, r1, r2, r3);
    }

    /// Starts a row's sum with the zeros' share, and widens the row's scales.
    private void begin(MemorySegment x, float[] scratch, int scales, int sumAt, int row) {
        sides.addZeros(row, x, scratch, sumAt);
        sides.widenScales(row, scratch, scales);
        spread(scratch, scales);
    }

    /// Spreads a row's scales over blocks or over lanes, as [#addBlocks] wants them.
    abstract void spread(float[] scales, int at);

    /// Adds blocks of four rows, the whole ones or those at the ends, to the four sums in scratch memory. The rows'
    /// scales stand from 0 on, at multiples of the scale space, and the sums after them.
    abstract void addBlocks(MemorySegment x, float[] scratch, boolean end, int r0, int r1, int r2, int r3);
}
