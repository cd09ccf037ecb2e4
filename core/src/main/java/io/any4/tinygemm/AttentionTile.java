package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.HALF_SHORTS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.DType;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;

/// The inner loops of [VectorAttention]. They are over positions, not over the elements of a head, which fill
/// few vectors.
///
/// Queries, keys, values and mixtures are rows of a panel, a whole number of fours of vectors each, and zero
/// behind the end of a head. Scores lie in another array, [#STRIDE] floats a row.
final class AttentionTile {
    /// Positions that go together.
    static final int POSITIONS = 64;

    /// Floats of a row of scores: a vector more than there are positions, for stores that reach over the end.
    static final int STRIDE = POSITIONS + LANES;

    /// Floats of scratch memory for the products of two queries with all keys.
    static final int SUMS = 2 * POSITIONS * LANES;

    /// Puts the sums that [Simd#sums] leaves in lanes 0, `LANES / 2`, `LANES / 4`, `3 * LANES / 4` into lanes
    /// 0 to 3.
    private static final VectorShuffle<Float> IN_ORDER = VectorShuffle.fromOp(FLOATS, lane -> switch (lane) {
        case 1 -> LANES / 2;
        case 2 -> LANES / 4;
        case 3 -> 3 * LANES / 4;
        default -> 0;
    });

    private AttentionTile() {}

    /// Writes `count` rows of `dim` elements, the first at element `from` and each `width` after the one
    /// before, to rows of `row` floats at `panel[to ..]`.
    static void widen(CpuRows cache, int from, int width, int count, int dim, float[] panel, int to, int row) {
        int whole = dim / LANES * LANES;
        switch (cache) {
            case CpuBuffer(float[] data) -> copy(data, from, width, count, whole, panel, to, row);
            case CpuHalfBuffer(short[] data, DType dtype)
            when dtype == DType.F16 -> widenF16(data, from, width, count, whole, panel, to, row);
            case CpuHalfBuffer(short[] data, DType dtype) -> widenBf16(data, from, width, count, whole, panel, to, row);
        }
        if (whole < row) {
            finish(cache, from, width, count, whole, dim, panel, to, row);
        }
    }

    private static void copy(float[] data, int from, int width, int count, int dim, float[] panel, int to, int row) {
        for (int p = 0; p < count; p++) {
            System.arraycopy(data, from + p * width, panel, to + p * row, dim);
        }
    }

    /// Calls nothing but the Vector API, so that no vector becomes an object.
    private static void widenF16(
            short[] data, int from, int width, int count, int dim, float[] panel, int to, int row) {
        for (int p = 0; p < count; p++) {
            for (int i = 0; i < dim; i += LANES) {
                ((IntVector) ShortVector.fromArray(HALF_SHORTS, data, from + p * width + i)
                                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .lanewise(VectorOperators.ASHR, 3)
                        .and(Simd.F16_BITS)
                        .reinterpretAsFloats()
                        .mul(Simd.F16_BIAS)
                        .intoArray(panel, to + p * row + i);
            }
        }
    }

    private static void widenBf16(
            short[] data, int from, int width, int count, int dim, float[] panel, int to, int row) {
        for (int p = 0; p < count; p++) {
            for (int i = 0; i < dim; i += LANES) {
                ((IntVector) ShortVector.fromArray(HALF_SHORTS, data, from + p * width + i)
                                .convertShape(VectorOperators.ZERO_EXTEND_S2I, INTS, 0))
                        .lanewise(VectorOperators.LSHL, 16)
                        .reinterpretAsFloats()
                        .intoArray(panel, to + p * row + i);
            }
        }
    }

    /// The elements that fill no vector, and zeros behind them.
    private static void finish(
            CpuRows cache, int from, int width, int count, int done, int dim, float[] panel, int to, int row) {
        for (int p = 0; p < count; p++) {
            int target = to + p * row;
            cache.widen(from + p * width + done, dim - done, panel, target + done);
            Arrays.fill(panel, target + dim, target + row, 0f);
        }
    }

    /// The scores of two rows of queries at `q` and all keys at `k`, rounded up to fours of them. Every pair
    /// of a query and a key has one accumulator, to which vectors are added from first to last, whatever
    /// other rows there are.
    static void score(float[] panel, int q, int k, int row, int keys, float[] scores, int at, float[] sums) {
        int rounded = Math.ceilDiv(keys, 4) * 4;
        dots(panel, q, q + row, k, row, rounded, sums);
        for (int i = 4 * LANES; i < row; i += 4 * LANES) {
            moreDots(panel, q + i, q + row + i, k + i, row, rounded, sums);
        }
        for (int p = 0; p < rounded; p += 4) {
            putSums(sums, p * LANES, scores, at + p);
            putSums(sums, (rounded + p) * LANES, scores, at + STRIDE + p);
        }
    }

    /// The products of four vectors of two queries with those of all keys.
    private static void dots(float[] panel, int q, int r, int k, int row, int keys, float[] sums) {
        FloatVector q0 = FloatVector.fromArray(FLOATS, panel, q);
        FloatVector q1 = FloatVector.fromArray(FLOATS, panel, q + LANES);
        FloatVector q2 = FloatVector.fromArray(FLOATS, panel, q + 2 * LANES);
        FloatVector q3 = FloatVector.fromArray(FLOATS, panel, q + 3 * LANES);
        FloatVector r0 = FloatVector.fromArray(FLOATS, panel, r);
        FloatVector r1 = FloatVector.fromArray(FLOATS, panel, r + LANES);
        FloatVector r2 = FloatVector.fromArray(FLOATS, panel, r + 2 * LANES);
        FloatVector r3 = FloatVector.fromArray(FLOATS, panel, r + 3 * LANES);
        for (int p = 0; p < keys; p++) {
            FloatVector key = FloatVector.fromArray(FLOATS, panel, k + p * row);
            FloatVector a = key.mul(q0);
            FloatVector b = key.mul(r0);
            key = FloatVector.fromArray(FLOATS, panel, k + p * row + LANES);
            a = key.fma(q1, a);
            b = key.fma(r1, b);
            key = FloatVector.fromArray(FLOATS, panel, k + p * row + 2 * LANES);
            a = key.fma(q2, a);
            b = key.fma(r2, b);
            key = FloatVector.fromArray(FLOATS, panel, k + p * row + 3 * LANES);
            a = key.fma(q3, a);
            b = key.fma(r3, b);
            a.intoArray(sums, p * LANES);
            b.intoArray(sums, (keys + p) * LANES);
        }
    }

    /// Adds the products of the next four vectors.
    private static void moreDots(float[] panel, int q, int r, int k, int row, int keys, float[] sums) {
        FloatVector q0 = FloatVector.fromArray(FLOATS, panel, q);
        FloatVector q1 = FloatVector.fromArray(FLOATS, panel, q + LANES);
        FloatVector q2 = FloatVector.fromArray(FLOATS, panel, q + 2 * LANES);
        FloatVector q3 = FloatVector.fromArray(FLOATS, panel, q + 3 * LANES);
        FloatVector r0 = FloatVector.fromArray(FLOATS, panel, r);
        FloatVector r1 = FloatVector.fromArray(FLOATS, panel, r + LANES);
        FloatVector r2 = FloatVector.fromArray(FLOATS, panel, r + 2 * LANES);
        FloatVector r3 = FloatVector.fromArray(FLOATS, panel, r + 3 * LANES);
        for (int p = 0; p < keys; p++) {
            FloatVector key = FloatVector.fromArray(FLOATS, panel, k + p * row);
            FloatVector a = key.fma(q0, FloatVector.fromArray(FLOATS, sums, p * LANES));
            FloatVector b = key.fma(r0, FloatVector.fromArray(FLOATS, sums, (keys + p) * LANES));
            key = FloatVector.fromArray(FLOATS, panel, k + p * row + LANES);
            a = key.fma(q1, a);
            b = key.fma(r1, b);
            key = FloatVector.fromArray(FLOATS, panel, k + p * row + 2 * LANES);
            a = key.fma(q2, a);
            b = key.fma(r2, b);
            key = FloatVector.fromArray(FLOATS, panel, k + p * row + 3 * LANES);
            a = key.fma(q3, a);
            b = key.fma(r3, b);
            a.intoArray(sums, p * LANES);
            b.intoArray(sums, (keys + p) * LANES);
        }
    }

    /// Stores the four sums of lanes; what is stored behind them is overwritten by the next.
    private static void putSums(float[] sums, int from, float[] scores, int at) {
        Simd.sums(
                        FloatVector.fromArray(FLOATS, sums, from),
                        FloatVector.fromArray(FLOATS, sums, from + LANES),
                        FloatVector.fromArray(FLOATS, sums, from + 2 * LANES),
                        FloatVector.fromArray(FLOATS, sums, from + 3 * LANES))
                .rearrange(IN_ORDER)
                .intoArray(scores, at);
    }

    /// The greatest of a row of scores and `least`. The reduction of the Vector API has only one possible
    /// result here.
    static float greatest(float[] scores, int at, float least) {
        FloatVector greatest = FloatVector.broadcast(FLOATS, least);
        for (int p = at; p < at + POSITIONS; p += LANES) {
            greatest = FloatVector.fromArray(FLOATS, scores, p).max(greatest);
        }
        return FloatVector.broadcast(FLOATS, least).max(greatest).reduceLanes(VectorOperators.MAX);
    }

    /// The sum of a row of weights.
    static float sum(float[] weights, int at) {
        float a = 0;
        float b = 0;
        float c = 0;
        float d = 0;
        for (int p = at; p < at + POSITIONS; p += 4) {
            a += weights[p];
            b += weights[p + 1];
            c += weights[p + 2];
            d += weights[p + 3];
        }
        return a + b + (c + d);
    }

    /// `acc[r] = acc[r] * factors[f + r] + sum over p of weights[r][p] * v[p]` for four rows at `acc`.
    static void mix(
            float[] panel, int acc, int v, int row, int count, float[] weights, int at, float[] factors, int f) {
        for (int i = 0; i < row; i += 2 * LANES) {
            mixTwo(panel, acc + i, v + i, row, count, weights, at, factors, f);
        }
    }

    /// Two vectors of each of four rows.
    private static void mixTwo(
            float[] panel, int acc, int v, int row, int count, float[] weights, int at, float[] factors, int f) {
        FloatVector a0 = FloatVector.fromArray(FLOATS, panel, acc).mul(factors[f]);
        FloatVector b0 = FloatVector.fromArray(FLOATS, panel, acc + LANES).mul(factors[f]);
        FloatVector a1 = FloatVector.fromArray(FLOATS, panel, acc + row).mul(factors[f + 1]);
        FloatVector b1 = FloatVector.fromArray(FLOATS, panel, acc + row + LANES).mul(factors[f + 1]);
        FloatVector a2 = FloatVector.fromArray(FLOATS, panel, acc + 2 * row).mul(factors[f + 2]);
        FloatVector b2 =
                FloatVector.fromArray(FLOATS, panel, acc + 2 * row + LANES).mul(factors[f + 2]);
        FloatVector a3 = FloatVector.fromArray(FLOATS, panel, acc + 3 * row).mul(factors[f + 3]);
        FloatVector b3 =
                FloatVector.fromArray(FLOATS, panel, acc + 3 * row + LANES).mul(factors[f + 3]);
        for (int p = 0; p < count; p++) {
            FloatVector x = FloatVector.fromArray(FLOATS, panel, v + p * row);
            FloatVector y = FloatVector.fromArray(FLOATS, panel, v + p * row + LANES);
            FloatVector w = FloatVector.broadcast(FLOATS, weights[at + p]);
            a0 = x.fma(w, a0);
            b0 = y.fma(w, b0);
            w = FloatVector.broadcast(FLOATS, weights[at + STRIDE + p]);
            a1 = x.fma(w, a1);
            b1 = y.fma(w, b1);
            w = FloatVector.broadcast(FLOATS, weights[at + 2 * STRIDE + p]);
            a2 = x.fma(w, a2);
            b2 = y.fma(w, b2);
            w = FloatVector.broadcast(FLOATS, weights[at + 3 * STRIDE + p]);
            a3 = x.fma(w, a3);
            b3 = y.fma(w, b3);
        }
        a0.intoArray(panel, acc);
        b0.intoArray(panel, acc + LANES);
        a1.intoArray(panel, acc + row);
        b1.intoArray(panel, acc + row + LANES);
        a2.intoArray(panel, acc + 2 * row);
        b2.intoArray(panel, acc + 2 * row + LANES);
        a3.intoArray(panel, acc + 3 * row);
        b3.intoArray(panel, acc + 3 * row + LANES);
    }
}
