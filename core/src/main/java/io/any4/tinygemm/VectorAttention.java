package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;

/// Softmax attention, one token and one key-value head at a time.
///
/// Up to four query heads that share a key-value head go together, so that keys and values are loaded once for them.
/// Positions are visited in order, whatever other tokens are computed in the same operation.
final class VectorAttention {
    private static final int HEADS = 4;

    private VectorAttention() {}

    static void run(Attention attention, int from, int to) {
        int positions = attention.firstPosition() + attention.tokens();
        float[] scores = Scratch.floats(HEADS * Simd.pad(positions));
        int share = attention.share();
        for (int unit = from; unit < to; unit++) {
            int token = unit / attention.shape().kvHeads();
            int kvHead = unit % attention.shape().kvHeads();
            for (int i = 0; i < share; i += HEADS) {
                heads(attention, token, kvHead, kvHead * share + i, Math.min(HEADS, share - i), scores);
            }
        }
    }

    private static void heads(Attention a, int token, int kvHead, int head, int count, float[] scores) {
        AttentionShape shape = a.shape();
        int last = a.firstPosition() + token;
        int first = shape.firstVisible(last);
        int length = last + 1 - first;
        int stride = Simd.pad(a.firstPosition() + a.tokens());
        int dim = shape.headDim();
        int query = a.query(token, head);
        int cache = first * shape.kvWidth() + kvHead * dim;
        score(a, query, cache, length, count, scores, stride);
        for (int h = 0; h < count; h++) {
            softmax(scores, h * stride, length, a.scale());
        }
        mix(a, query, cache, length, count, scores, stride);
    }

    /// `scores[h * stride + p] = q[h] . k[p]`.
    private static void score(Attention a, int query, int cache, int length, int count, float[] scores, int stride) {
        int dim = a.shape().headDim();
        int width = a.shape().kvWidth();
        for (int p = 0; p < length; p++) {
            int key = cache + p * width;
            if (count == HEADS) {
                dotFour(a.q(), query, CpuBuffer.of(a.keys()), key, dim, scores, p, stride);
            } else {
                for (int h = 0; h < count; h++) {
                    scores[h * stride + p] = dot(a.q(), query + h * dim, CpuBuffer.of(a.keys()), key, dim);
                }
            }
        }
    }

    private static void dotFour(float[] q, int query, float[] k, int key, int dim, float[] scores, int p, int stride) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        int i = 0;
        for (; i < FLOATS.loopBound(dim); i += LANES) {
            FloatVector v = FloatVector.fromArray(FLOATS, k, key + i);
            a0 = FloatVector.fromArray(FLOATS, q, query + i).fma(v, a0);
            a1 = FloatVector.fromArray(FLOATS, q, query + dim + i).fma(v, a1);
            a2 = FloatVector.fromArray(FLOATS, q, query + 2 * dim + i).fma(v, a2);
            a3 = FloatVector.fromArray(FLOATS, q, query + 3 * dim + i).fma(v, a3);
        }
        if (i < dim) {
            VectorMask<Float> rest = FLOATS.indexInRange(i, dim);
            FloatVector v = FloatVector.fromArray(FLOATS, k, key + i, rest);
            a0 = FloatVector.fromArray(FLOATS, q, query + i, rest).fma(v, a0);
            a1 = FloatVector.fromArray(FLOATS, q, query + dim + i, rest).fma(v, a1);
            a2 = FloatVector.fromArray(FLOATS, q, query + 2 * dim + i, rest).fma(v, a2);
            a3 = FloatVector.fromArray(FLOATS, q, query + 3 * dim + i, rest).fma(v, a3);
        }
        scores[p] = Simd.sum(a0);
        scores[stride + p] = Simd.sum(a1);
        scores[2 * stride + p] = Simd.sum(a2);
        scores[3 * stride + p] = Simd.sum(a3);
    }

    private static float dot(float[] q, int query, float[] k, int key, int dim) {
        FloatVector sum = FloatVector.zero(FLOATS);
        int i = 0;
        for (; i < FLOATS.loopBound(dim); i += LANES) {
            sum = FloatVector.fromArray(FLOATS, q, query + i).fma(FloatVector.fromArray(FLOATS, k, key + i), sum);
        }
        if (i < dim) {
            VectorMask<Float> rest = FLOATS.indexInRange(i, dim);
            FloatVector v = FloatVector.fromArray(FLOATS, k, key + i, rest);
            sum = FloatVector.fromArray(FLOATS, q, query + i, rest).fma(v, sum);
        }
        return Simd.sum(sum);
    }

    private static void softmax(float[] scores, int at, int length, float scale) {
        float greatest = Float.NEGATIVE_INFINITY;
        for (int p = 0; p < length; p++) {
            greatest = Math.max(greatest, scores[at + p]);
        }
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int p = 0; p < length; p += LANES) {
            VectorMask<Float> rest = FLOATS.indexInRange(p, length);
            FloatVector s = FloatVector.fromArray(FLOATS, scores, at + p, rest);
            FloatVector e = Simd.exp(s.sub(greatest).mul(scale));
            e.intoArray(scores, at + p, rest);
            sum = sum.add(e, rest);
        }
        float factor = 1 / Simd.sum(sum);
        for (int p = 0; p < length; p++) {
            scores[at + p] *= factor;
        }
    }

    /// `out[h] = sum over p of scores[h][p] * v[p]`.
    private static void mix(Attention a, int query, int cache, int length, int count, float[] scores, int stride) {
        int dim = a.shape().headDim();
        int width = a.shape().kvWidth();
        for (int i = 0; i < dim; i += LANES) {
            VectorMask<Float> rest = FLOATS.indexInRange(i, dim);
            if (count == HEADS) {
                mixFour(
                        CpuBuffer.of(a.values()),
                        cache + i,
                        width,
                        length,
                        scores,
                        stride,
                        a.out(),
                        query + i,
                        dim,
                        rest);
            } else {
                for (int h = 0; h < count; h++) {
                    mixOne(
                            CpuBuffer.of(a.values()),
                            cache + i,
                            width,
                            length,
                            scores,
                            h * stride,
                            a.out(),
                            query + h * dim + i,
                            rest);
                }
            }
        }
    }

    private static void mixFour(
            float[] values,
            int at,
            int width,
            int length,
            float[] scores,
            int stride,
            float[] out,
            int to,
            int dim,
            VectorMask<Float> rest) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        for (int p = 0; p < length; p++) {
            FloatVector v = FloatVector.fromArray(FLOATS, values, at + p * width, rest);
            a0 = v.fma(Simd.broadcast(scores[p]), a0);
            a1 = v.fma(Simd.broadcast(scores[stride + p]), a1);
            a2 = v.fma(Simd.broadcast(scores[2 * stride + p]), a2);
            a3 = v.fma(Simd.broadcast(scores[3 * stride + p]), a3);
        }
        a0.intoArray(out, to, rest);
        a1.intoArray(out, to + dim, rest);
        a2.intoArray(out, to + 2 * dim, rest);
        a3.intoArray(out, to + 3 * dim, rest);
    }

    private static void mixOne(
            float[] values,
            int at,
            int width,
            int length,
            float[] scores,
            int scoresAt,
            float[] out,
            int to,
            VectorMask<Float> rest) {
        FloatVector sum = FloatVector.zero(FLOATS);
        for (int p = 0; p < length; p++) {
            FloatVector v = FloatVector.fromArray(FLOATS, values, at + p * width, rest);
            sum = v.fma(Simd.broadcast(scores[scoresAt + p]), sum);
        }
        sum.intoArray(out, to, rest);
    }
}
