package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;

/// The attention of some consecutive tokens in some consecutive key-value heads, with all query heads that share them.
///
/// For each key-value head there are as many rows as tokens times sharing query heads, filled up to fours. A row has a
/// query, the mixture of values found so far, and the maximum and sum of the exponentials it is made of. One object
/// serves one thread for all its units.
final class AttentionUnit {
    private static final ThreadLocal<AttentionUnit> OWN = ThreadLocal.withInitial(AttentionUnit::new);

    private static final int POSITIONS = AttentionTile.POSITIONS;

    /// Less than any score, but finite: differences of it and scores are numbers.
    private static final float LOWEST = -Float.MAX_VALUE;

    /// Queries, keys, values and both mixtures, one after the other.
    private float[] panel = new float[0];
    /// Scores of the rows of one head.
    private float[] scores = new float[0];
    /// Of each row of all heads: of the part in progress, and of the parts before it.
    private float[] maximum = new float[0];
    private float[] sum = new float[0];
    private float[] wholeMaximum = new float[0];
    private float[] wholeSum = new float[0];
    private float[] factors = new float[0];
    private final float[] sums = new float[AttentionTile.SUMS];

    private int token;
    private int tokens;
    private int firstHead;
    private int heads;
    private int rows;
    private int paddedRows;
    private int width;
    private int keysAt;
    private int valuesAt;
    private int mixedAt;
    private int wholeAt;

    private AttentionUnit() {}

    /// The calling thread's.
    static AttentionUnit own() {
        return OWN.get();
    }

    /// Floats of a head of queries, keys or values in a panel: a whole number of fours of vectors.
    static int width(int headDim) {
        return Math.ceilDiv(headDim, 4 * LANES) * 4 * LANES;
    }

    /// Starts on a unit: nothing has been seen.
    void begin(Attention a, int firstToken, int tokenCount, int firstKvHead, int kvHeads) {
        token = firstToken;
        tokens = tokenCount;
        firstHead = firstKvHead;
        heads = kvHeads;
        rows = tokens * a.share();
        paddedRows = Math.ceilDiv(rows, 4) * 4;
        width = width(a.shape().headDim());
        reserve();
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < paddedRows; row++) {
                loadQuery(a, head, row);
            }
        }
        clear(wholeAt, wholeMaximum, wholeSum);
    }

    private void reserve() {
        int all = heads * paddedRows;
        keysAt = all * width;
        valuesAt = keysAt + POSITIONS * width;
        mixedAt = valuesAt + POSITIONS * width;
        wholeAt = mixedAt + all * width;
        int floats = wholeAt + all * width;
        if (panel.length < floats) {
            panel = new float[floats];
        }
        if (maximum.length < all) {
            maximum = new float[all];
            sum = new float[all];
            wholeMaximum = new float[all];
            wholeSum = new float[all];
        }
        if (scores.length < paddedRows * AttentionTile.STRIDE) {
            scores = new float[paddedRows * AttentionTile.STRIDE];
            factors = new float[paddedRows];
        }
    }

    /// The query of a row, scaled; zeros for a row that only fills up.
    private void loadQuery(Attention a, int head, int row) {
        int at = (head * paddedRows + row) * width;
        Arrays.fill(panel, at, at + width, 0f);
        if (row < rows) {
            int from = query(a, head, row);
            float scale = a.scale();
            for (int i = 0; i < a.shape().headDim(); i++) {
                panel[at + i] = a.q()[from + i] * scale;
            }
        }
    }

    /// Where the query of a row is among the queries, and its result among the results.
    private int query(Attention a, int head, int row) {
        int share = a.share();
        return a.query(token + row / share, (firstHead + head) * share + row % share);
    }

    private void clear(int at, float[] maxima, float[] exponentials) {
        Arrays.fill(panel, at, at + heads * paddedRows * width, 0f);
        Arrays.fill(maxima, LOWEST);
        Arrays.fill(exponentials, 0f);
    }

    /// Attends to the positions `from <= position < to` as far as the unit's tokens see them.
    void part(Attention a, int from, int to) {
        clear(mixedAt, maximum, sum);
        int position = a.firstPosition() + token;
        int first = Math.max(from, a.shape().firstVisible(position) / POSITIONS * POSITIONS);
        int end = Math.min(to, position + tokens);
        for (int start = first; start < end; start += POSITIONS) {
            tile(a, start, Math.min(POSITIONS, end - start));
        }
    }

    private void tile(Attention a, int start, int count) {
        int dim = a.shape().headDim();
        int stride = a.shape().kvWidth();
        for (int head = 0; head < heads; head++) {
            int from = start * stride + (firstHead + head) * dim;
            AttentionTile.widen(a.keys(), from, stride, count, dim, panel, keysAt, width);
            score(head, count);
            weigh(a, head, start);
            AttentionTile.widen(a.values(), from, stride, count, dim, panel, valuesAt, width);
            mix(head, count);
        }
    }

    private void score(int head, int count) {
        for (int row = 0; row < paddedRows; row += 2) {
            int queries = (head * paddedRows + row) * width;
            AttentionTile.score(panel, queries, keysAt, width, count, scores, row * AttentionTile.STRIDE, sums);
        }
    }

    /// Turns the scores of a head into weights relative to each row's maximum so far, and notes the factors that make
    /// those of earlier tiles relative to it too.
    private void weigh(Attention a, int head, int start) {
        for (int row = 0; row < paddedRows; row++) {
            int at = row * AttentionTile.STRIDE;
            int state = head * paddedRows + row;
            hideInvisible(a, row, start, at);
            float before = maximum[state];
            float greatest = AttentionTile.greatest(scores, at, before);
            factors[row] = greatest == before ? 1 : Simd.exp(before - greatest);
            maximum[state] = greatest;
            for (int p = at; p < at + POSITIONS; p++) {
                scores[p] -= greatest;
            }
        }
        Simd.exp(scores, 0, 1, 0, scores, 0, paddedRows * AttentionTile.STRIDE);
        for (int row = 0; row < paddedRows; row++) {
            int state = head * paddedRows + row;
            sum[state] = sum[state] * factors[row] + AttentionTile.sum(scores, row * AttentionTile.STRIDE);
        }
    }

    private void mix(int head, int count) {
        for (int row = 0; row < paddedRows; row += 4) {
            int mixed = mixedAt + (head * paddedRows + row) * width;
            AttentionTile.mix(panel, mixed, valuesAt, width, count, scores, row * AttentionTile.STRIDE, factors, row);
        }
    }

    private void hideInvisible(Attention a, int row, int start, int at) {
        int visible = 0;
        int end = 0;
        if (row < rows) {
            int position = a.firstPosition() + token + row / a.share();
            visible = Math.clamp(a.shape().firstVisible(position) - (long) start, 0, POSITIONS);
            end = Math.clamp(position + 1L - start, visible, POSITIONS);
        }
        for (int p = 0; p < visible; p++) {
            scores[at + p] = Float.NEGATIVE_INFINITY;
        }
        for (int p = end; p < POSITIONS; p++) {
            scores[at + p] = Float.NEGATIVE_INFINITY;
        }
    }

    /// Adds the part to the parts before it.
    void merge() {
        for (int row = 0; row < heads * paddedRows; row++) {
            merge(row, panel, mixedAt + row * width, maximum[row], sum[row]);
        }
    }

    /// Adds to a row what was found for it in another part.
    private void merge(int row, float[] found, int at, float foundMaximum, float foundSum) {
        float before = wholeMaximum[row];
        float greatest = Math.max(before, foundMaximum);
        float kept = greatest == before ? 1 : Simd.exp(before - greatest);
        float added = greatest == foundMaximum ? 1 : Simd.exp(foundMaximum - greatest);
        wholeMaximum[row] = greatest;
        wholeSum[row] = wholeSum[row] * kept + foundSum * added;
        int whole = wholeAt + row * width;
        for (int i = 0; i < width; i += LANES) {
            FloatVector mixed = FloatVector.fromArray(FLOATS, panel, whole + i).mul(kept);
            FloatVector.fromArray(FLOATS, found, at + i)
                    .fma(FloatVector.broadcast(FLOATS, added), mixed)
                    .intoArray(panel, whole + i);
        }
    }

    /// Writes the results.
    void finish(Attention a) {
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < rows; row++) {
                int state = head * paddedRows + row;
                int to = query(a, head, row);
                float factor = 1 / wholeSum[state];
                for (int i = 0; i < a.shape().headDim(); i++) {
                    a.out()[to + i] = panel[wholeAt + state * width + i] * factor;
                }
            }
        }
    }

    /// Copies the part's rows to where units of other parts leave theirs.
    void leave(AttentionParts parts, int part) {
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < rows; row++) {
                int state = head * paddedRows + row;
                int slot = parts.slot(firstHead + head, row, part);
                System.arraycopy(panel, mixedAt + state * width, parts.mixed, slot * width, width);
                parts.maximum[slot] = maximum[state];
                parts.sum[slot] = sum[state];
            }
        }
    }

    /// Adds all parts that units have left.
    void collect(AttentionParts parts) {
        for (int head = 0; head < heads; head++) {
            for (int row = 0; row < rows; row++) {
                for (int part = 0; part < parts.count; part++) {
                    int slot = parts.slot(firstHead + head, row, part);
                    int state = head * paddedRows + row;
                    merge(state, parts.mixed, slot * width, parts.maximum[slot], parts.sum[slot]);
                }
            }
        }
    }
}
