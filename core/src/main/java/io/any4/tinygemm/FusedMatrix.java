package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A grouped weight whose rows meet a single token while they are decoded, four rows at a time.
///
/// Between the steps of a product, sums live in scratch memory and not in variables: a vector that crosses a call which
/// the compiler does not inline becomes an object, and so does everything it is added to. For the same reason the loops
/// call nothing but the Vector API: past some size of a method, the compiler inlines only what the JDK forces it to.
abstract class FusedMatrix extends GroupedMatrix {
    /// Rows that a product computes together.
    static final int ROWS = 4;

    FusedMatrix(
            Weight weight, Tensor codes, Tensor scale, @Nullable Tensor zero, Arrangement arrangement, int blockBytes) {
        super(weight, codes, scale, zero, arrangement, blockBytes);
    }

    @Override
    void product(MemorySegment x, float[] y, int from, int to) {
        float[] scratch = Scratch.floats(ROWS * arrangement.scaleSpace() + ROWS * LANES);
        int quarter = (to - from) / ROWS;
        // far-apart streams keep more memory requests in flight than neighbouring rows
        for (int r = from; r < from + quarter; r++) {
            four(x, y, scratch, r, quarter, to - 1);
        }
        if (from + ROWS * quarter < to) {
            four(x, y, scratch, from + ROWS * quarter, 1, to - 1);
        }
    }

    /// Computes the rows `r`, `r + stride` and so on; those after the last are computed as copies of it.
    private void four(MemorySegment x, float[] y, float[] scratch, int r, int stride, int last) {
        int space = arrangement.scaleSpace();
        int sums = ROWS * space;
        for (int i = 0; i < ROWS; i++) {
            int row = Math.min(r + i * stride, last);
            sides.addZeros(row, x, scratch, sums + i * LANES);
            sides.widenScales(row, scratch, i * space);
            spread(scratch, i * space);
        }
        addBlocks(x, scratch, false, r, stride, last);
        if (codes.hasEnds()) {
            addBlocks(x, scratch, true, r, stride, last);
        }
        Gemm.putSums(scratch, sums, y, 0, r, stride, last);
    }

    /// Spreads a row's scales over lanes, or as [#addBlocks] wants them.
    void spread(float[] scales, int at) {
        arrangement.spreadOverLanes(scales, at);
    }

    /// Adds blocks, the whole ones or those at the ends, of the rows `min(r + i * stride, last)` to their sums in
    /// scratch memory. The rows' scales stand from 0 on, at multiples of the scale space, and the sums after them.
    abstract void addBlocks(MemorySegment x, float[] scratch, boolean end, int r, int stride, int last);
}
