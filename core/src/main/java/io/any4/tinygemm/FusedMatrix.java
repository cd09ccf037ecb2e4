package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.LANES;

/// A weight whose rows meet a single token while they are decoded, four rows at a time.
///
/// Between the steps of a product, sums live in scratch memory and not in variables: a vector that crosses a call
/// which the compiler does not inline becomes an object, and so does everything it is added to. For the same reason
/// the loops call nothing but the Vector API: past some size of a method, the compiler inlines only what the JDK
/// forces it to.
abstract class FusedMatrix extends VectorMatrix {
    /// Rows that a product computes together.
    static final int ROWS = 4;

    /// Rows in which the four are a quarter apart.
    private static final int CHUNK = 1024;

    /// Rows of up to 8192 columns that stay in the second-level cache.
    private static final int CACHED = 64;

    FusedMatrix(Weight weight) {
        super(weight);
    }

    @Override
    void product(long x, float[] y, int from, int to) {
        for (int first = from; first < to; first += CHUNK) {
            chunk(x, y, 0, first, Math.min(to, first + CHUNK));
        }
    }

    /// Multiplies tokens one by one, with some rows at a time, which come from memory once.
    final void oneByOne(long x, int tokens, float[] y, int from, int to) {
        long token = 4L * arrangedLength();
        for (int first = from; first < to; first += CACHED) {
            for (int t = 0; t < tokens; t++) {
                chunk(x + t * token, y, t * rows, first, Math.min(to, first + CACHED));
            }
        }
    }

    /// `y[out + r]` for some rows `r`. Far-apart rows are streams of their own, of which the processor fetches each
    /// ahead; neighbouring ones are not.
    private void chunk(long x, float[] y, int out, int from, int to) {
        long sums = Scratch.sums(ROWS * LANES);
        int quarter = (to - from) / ROWS;
        for (int r = from; r < from + quarter; r++) {
            four(x, y, out, sums, r, quarter, to - 1);
        }
        if (from + ROWS * quarter < to) {
            four(x, y, out, sums, from + ROWS * quarter, 1, to - 1);
        }
    }

    /// Computes the rows `r`, `r + stride` and so on; those after the last are computed as copies of it.
    private void four(long x, float[] y, int out, long sums, int r, int stride, int last) {
        sum(x, sums, r, stride, last);
        Gemm.putSums(sums, y, out, r, stride, last);
    }

    /// Writes the sums of the rows `min(r + i * stride, last)` with the token at address `x`, a vector each, to address
    /// `sums`.
    abstract void sum(long x, long sums, int r, int stride, int last);
}
