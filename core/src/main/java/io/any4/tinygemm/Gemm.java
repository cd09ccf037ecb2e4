package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import jdk.incubator.vector.FloatVector;

/// Register tiles: four decoded rows against a few tokens.
///
/// Every pair of a row and a token has one accumulator, to which vectors are added from first to last, and whose lanes
/// are summed at the end. That order is the same in all tiles and in the fused kernels, so a result does not depend on
/// how many tokens are computed together.
final class Gemm {
    /// Rows decoded together.
    static final int ROWS = 4;

    /// Floats of arranged tokens that stay in the second-level cache while rows pass by.
    private static final int CACHED_FLOATS = 1 << 18;

    /// Floats after the panel that the largest tile needs for its sums.
    ///
    /// Sums leave a tile through memory and never as arguments: the compiler may stop inlining there,
    /// and a sum that leaves as an object is one in every round of the loop.
    static final int SUMS = 4 * ROWS * LANES;

    private Gemm() {}

    /// `y[t * rows + r]` for all tokens and the rows `from <= r < to` of a matrix.
    static void multiply(VectorMatrix matrix, float[] x, int tokens, float[] y, int from, int to) {
        int length = matrix.arrangedLength();
        int stride = matrix.rows();
        int block = Math.max(4, CACHED_FLOATS / length / 4 * 4);
        float[] panel = Scratch.floats(ROWS * length + Math.max(matrix.decodeSpace(), SUMS));
        for (int first = 0; first < tokens; first += block) {
            int last = Math.min(tokens, first + block);
            for (int row = from; row < to; row += ROWS) {
                // rows past the end are computed as copies of the last one
                for (int i = 0; i < ROWS; i++) {
                    matrix.decode(Math.min(row + i, to - 1), panel, i * length, ROWS * length);
                }
                tokens(panel, length, x, first, last, y, row, to, stride);
            }
        }
    }

    private static void tokens(
            float[] panel, int length, float[] x, int first, int last, float[] y, int row, int to, int stride) {
        int r1 = Math.min(row + 1, to - 1);
        int r2 = Math.min(row + 2, to - 1);
        int r3 = Math.min(row + 3, to - 1);
        int t = first;
        if (LANES == 16) {
            for (; t + 4 <= last; t += 4) {
                four(panel, length, x, t * length, y, t * stride, stride, row, r1, r2, r3);
            }
        }
        for (; t + 2 <= last; t += 2) {
            two(panel, length, x, t * length, y, t * stride, stride, row, r1, r2, r3);
        }
        if (t < last) {
            one(panel, length, x, t * length, y, t * stride, row, r1, r2, r3);
        }
    }

    /// Four rows, one token.
    static void one(float[] w, int length, float[] x, int at, float[] y, int out, int r0, int r1, int r2, int r3) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        for (int i = 0; i < length; i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + i);
            a0 = FloatVector.fromArray(FLOATS, w, i).fma(v, a0);
            a1 = FloatVector.fromArray(FLOATS, w, length + i).fma(v, a1);
            a2 = FloatVector.fromArray(FLOATS, w, 2 * length + i).fma(v, a2);
            a3 = FloatVector.fromArray(FLOATS, w, 3 * length + i).fma(v, a3);
        }
        int sums = ROWS * length;
        a0.intoArray(w, sums);
        a1.intoArray(w, sums + LANES);
        a2.intoArray(w, sums + 2 * LANES);
        a3.intoArray(w, sums + 3 * LANES);
        putSums(w, sums, y, out, r0, r1, r2, r3);
    }

    /// Four rows, two tokens.
    private static void two(
            float[] w, int length, float[] x, int at, float[] y, int out, int stride, int r0, int r1, int r2, int r3) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        for (int i = 0; i < length; i += LANES) {
            FloatVector u = FloatVector.fromArray(FLOATS, x, at + i);
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + length + i);
            FloatVector row = FloatVector.fromArray(FLOATS, w, i);
            a0 = row.fma(u, a0);
            b0 = row.fma(v, b0);
            row = FloatVector.fromArray(FLOATS, w, length + i);
            a1 = row.fma(u, a1);
            b1 = row.fma(v, b1);
            row = FloatVector.fromArray(FLOATS, w, 2 * length + i);
            a2 = row.fma(u, a2);
            b2 = row.fma(v, b2);
            row = FloatVector.fromArray(FLOATS, w, 3 * length + i);
            a3 = row.fma(u, a3);
            b3 = row.fma(v, b3);
        }
        int sums = ROWS * length;
        a0.intoArray(w, sums);
        a1.intoArray(w, sums + LANES);
        a2.intoArray(w, sums + 2 * LANES);
        a3.intoArray(w, sums + 3 * LANES);
        b0.intoArray(w, sums + 4 * LANES);
        b1.intoArray(w, sums + 5 * LANES);
        b2.intoArray(w, sums + 6 * LANES);
        b3.intoArray(w, sums + 7 * LANES);
        putSums(w, sums, y, out, r0, r1, r2, r3);
        putSums(w, sums + ROWS * LANES, y, out + stride, r0, r1, r2, r3);
    }

    /// Four rows, four tokens: twenty-one vector registers.
    private static void four(
            float[] w, int length, float[] x, int at, float[] y, int out, int stride, int r0, int r1, int r2, int r3) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        FloatVector b0 = a0;
        FloatVector b1 = a0;
        FloatVector b2 = a0;
        FloatVector b3 = a0;
        FloatVector c0 = a0;
        FloatVector c1 = a0;
        FloatVector c2 = a0;
        FloatVector c3 = a0;
        FloatVector d0 = a0;
        FloatVector d1 = a0;
        FloatVector d2 = a0;
        FloatVector d3 = a0;
        for (int i = 0; i < length; i += LANES) {
            FloatVector s = FloatVector.fromArray(FLOATS, x, at + i);
            FloatVector t = FloatVector.fromArray(FLOATS, x, at + length + i);
            FloatVector u = FloatVector.fromArray(FLOATS, x, at + 2 * length + i);
            FloatVector v = FloatVector.fromArray(FLOATS, x, at + 3 * length + i);
            FloatVector row = FloatVector.fromArray(FLOATS, w, i);
            a0 = row.fma(s, a0);
            b0 = row.fma(t, b0);
            c0 = row.fma(u, c0);
            d0 = row.fma(v, d0);
            row = FloatVector.fromArray(FLOATS, w, length + i);
            a1 = row.fma(s, a1);
            b1 = row.fma(t, b1);
            c1 = row.fma(u, c1);
            d1 = row.fma(v, d1);
            row = FloatVector.fromArray(FLOATS, w, 2 * length + i);
            a2 = row.fma(s, a2);
            b2 = row.fma(t, b2);
            c2 = row.fma(u, c2);
            d2 = row.fma(v, d2);
            row = FloatVector.fromArray(FLOATS, w, 3 * length + i);
            a3 = row.fma(s, a3);
            b3 = row.fma(t, b3);
            c3 = row.fma(u, c3);
            d3 = row.fma(v, d3);
        }
        int sums = ROWS * length;
        a0.intoArray(w, sums);
        a1.intoArray(w, sums + LANES);
        a2.intoArray(w, sums + 2 * LANES);
        a3.intoArray(w, sums + 3 * LANES);
        b0.intoArray(w, sums + 4 * LANES);
        b1.intoArray(w, sums + 5 * LANES);
        b2.intoArray(w, sums + 6 * LANES);
        b3.intoArray(w, sums + 7 * LANES);
        c0.intoArray(w, sums + 8 * LANES);
        c1.intoArray(w, sums + 9 * LANES);
        c2.intoArray(w, sums + 10 * LANES);
        c3.intoArray(w, sums + 11 * LANES);
        d0.intoArray(w, sums + 12 * LANES);
        d1.intoArray(w, sums + 13 * LANES);
        d2.intoArray(w, sums + 14 * LANES);
        d3.intoArray(w, sums + 15 * LANES);
        for (int k = 0; k < 4; k++) {
            putSums(w, sums + k * ROWS * LANES, y, out + k * stride, r0, r1, r2, r3);
        }
    }

    /// Stores the sums of four vectors at `sums[at ..]` as the results of four rows.
    static void putSums(float[] sums, int at, float[] y, int out, int r0, int r1, int r2, int r3) {
        FloatVector four = Simd.sums(
                FloatVector.fromArray(FLOATS, sums, at),
                FloatVector.fromArray(FLOATS, sums, at + LANES),
                FloatVector.fromArray(FLOATS, sums, at + 2 * LANES),
                FloatVector.fromArray(FLOATS, sums, at + 3 * LANES));
        y[out + r0] = four.lane(0);
        y[out + r1] = four.lane(LANES / 2);
        y[out + r2] = four.lane(LANES / 4);
        y[out + r3] = four.lane(3 * LANES / 4);
    }
}
