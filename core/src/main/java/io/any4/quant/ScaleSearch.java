package io.any4.quant;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Finds the whole scale from -127 to 127 that serves a group best, along with its codes; serves one thread.
///
/// The error of a group is a sum over its elements in the order they are rounded in: `cost_c * (t_c - level * scale)^2`
/// with the level nearest to `t_c = target_c - sum over k < c of feedback_ck * stored_k`, so that an element makes up
/// for those before it ([FeedbackFactor]); without feedback, elements are on their own. Every scale is tried: where a
/// vector holds 16 floats, 16 at a time.
final class ScaleSearch {
    private static final int LARGEST_SCALE = 127;
    private static final int LANES = 16;
    private static final int TRIALS = 2 * LARGEST_SCALE + 2; // 0 twice, to fill the last vector
    private static final boolean WIDE = FloatVector.SPECIES_PREFERRED.length() >= LANES;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;

    private final int count;
    private final int firstStep;
    private final float[] scales = new float[TRIALS];
    private final float[] inverses = new float[TRIALS];
    private final float[] levels = new float[LANES];
    private final float[] thresholds = new float[LANES];
    private final float[] own;
    private final float[] targets;
    private final float[] costs;
    private float[] feedback = new float[0];
    private final float[] stored;
    private final float[] trial = new float[LANES];
    private final float[] values;
    private final byte[] codes;
    private boolean coupled;

    /// @param levels of the table: a power of two, 16 at most
    /// @param groupSize the most elements of a group
    ScaleSearch(int levels, int groupSize) {
        count = levels;
        firstStep = levels >> 1;
        own = new float[levels - 1];
        Arrays.fill(thresholds, Float.POSITIVE_INFINITY);
        for (int i = 0; i < 2 * LARGEST_SCALE; i++) {
            scales[i] = i % 2 == 0 ? LARGEST_SCALE - i / 2 : i / 2 - LARGEST_SCALE;
            inverses[i] = 1f / scales[i];
        }
        targets = new float[groupSize];
        costs = new float[groupSize];
        stored = new float[groupSize * LANES];
        values = new float[groupSize];
        codes = new byte[groupSize];
    }

    /// Searches with this ascending table from now on.
    void use(float[] table) {
        Grid.midpoints(table, count, own);
        System.arraycopy(table, 0, levels, 0, count);
        System.arraycopy(own, 0, thresholds, 0, count - 1);
    }

    /// The numbers to be met, one per element.
    float[] targets() {
        return targets;
    }

    /// What a squared difference costs, one per element.
    float[] costs() {
        return costs;
    }

    /// Elements, which are on their own at first, make up for those before them from now on: element `c` by `rows[first
    /// + c][first + k]` for each `k < c`.
    void couple(float[][] rows, int first, int size) {
        coupled = true;
        feedback = feedback.length < size * size ? new float[size * size] : feedback;
        for (int c = 0; c < size; c++) {
            System.arraycopy(rows[first + c], first, feedback, c * size, c);
        }
    }

    /// The best scale for the first `size` elements; `present` if none is better.
    float best(int size, float present) {
        float best = present;
        float least = error(size, present, inverse(present), Float.POSITIVE_INFINITY);
        for (int from = 0; from < TRIALS; from += LANES) {
            if (WIDE && !errorsBelow(size, from, least)) {
                continue;
            }
            for (int i = from; i < from + LANES; i++) {
                float error = WIDE ? trial[i - from] : error(size, scales[i], inverses[i], least);
                if (error < least) {
                    least = error;
                    best = scales[i];
                }
            }
        }
        return best;
    }

    /// Rounds the elements with a scale; [#values] and [#codes] are then those it takes.
    ///
    /// @return the error
    float round(int size, float scale) {
        return error(size, scale, inverse(scale), Float.POSITIVE_INFINITY);
    }

    /// What the last call of [#round] made of the elements.
    float[] values() {
        return values;
    }

    byte[] codes() {
        return codes;
    }

    private static float inverse(float scale) {
        return scale == 0f ? 0f : 1f / scale;
    }

    /// @param limit from which on the error does not matter
    private float error(int size, float scale, float inverse, float limit) {
        float error = 0f;
        for (int c = 0; c < size && error < limit; c++) {
            float target = targets[c];
            if (coupled) {
                for (int k = 0; k < c; k++) {
                    target = Math.fma(-feedback[c * size + k], values[k], target);
                }
            }
            int code = Grid.code(target * inverse, own);
            float value = levels[code] * scale;
            codes[c] = (byte) code;
            values[c] = value;
            float missed = target - value;
            error = Math.fma(costs[c] * missed, missed, error);
        }
        return error;
    }

    /// Writes the errors of 16 scales to `trial`, if any of them is below the limit.
    private boolean errorsBelow(int size, int from, float limit) {
        FloatVector scale = FloatVector.fromArray(FLOATS, scales, from);
        FloatVector inverse = FloatVector.fromArray(FLOATS, inverses, from);
        IntVector bounds = FloatVector.fromArray(FLOATS, thresholds, 0).reinterpretAsInts();
        IntVector table = FloatVector.fromArray(FLOATS, levels, 0).reinterpretAsInts();
        FloatVector error = FloatVector.zero(FLOATS);
        for (int c = 0; c < size; c++) {
            FloatVector target = FloatVector.broadcast(FLOATS, targets[c]);
            if (coupled) {
                for (int k = 0; k < c; k++) {
                    FloatVector before = FloatVector.fromArray(FLOATS, stored, k * LANES);
                    target = before.fma(FloatVector.broadcast(FLOATS, -feedback[c * size + k]), target);
                }
            }
            FloatVector value = LevelSearch.code(target.mul(inverse), bounds, firstStep)
                    .selectFrom(table)
                    .reinterpretAsFloats()
                    .mul(scale);
            value.intoArray(stored, c * LANES);
            FloatVector missed = target.sub(value);
            error = missed.mul(costs[c]).fma(missed, error);
            if (!error.compare(VectorOperators.LT, limit).anyTrue()) {
                return false;
            }
        }
        error.intoArray(trial, 0);
        return true;
    }
}
