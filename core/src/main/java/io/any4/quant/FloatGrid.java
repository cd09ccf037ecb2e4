package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tinygemm.FpFormat;
import java.util.List;

/// A 4-bit float format as the table of a weight: its levels, and the scales with which they are stored.
///
/// @param levels ascending, below 1
/// @param thresholds between neighbouring levels
record FloatGrid(FpFormat format, float[] levels, float[] thresholds, float factor) {
    /// What the largest magnitude of a group is multiplied by to give the candidates for its clipping range: LLM-FP4
    /// searches about this range, in even steps of the bias as here.
    private static final int CANDIDATES = 100;

    private static final double LEAST = 0.35;
    private static final double MOST = 1.2;

    static FloatGrid of(FpFormat format) {
        float[] levels = format.levels();
        float[] thresholds = new float[levels.length - 1];
        Grid.midpoints(levels, levels.length, thresholds);
        return new FloatGrid(format, levels, thresholds, format.levelFactor());
    }

    /// One per candidate format of weights.
    static List<FloatGrid> all() {
        return FpFormat.ofBits(4).stream().map(FloatGrid::of).toList();
    }

    /// The clipping ranges to try, relative to the largest magnitude: about from `LEAST` to `MOST`, in equal
    /// ratios, and with 1 among them, so that a lone weight can be represented exactly.
    static double[] clippingFactors() {
        double ratio = Math.pow(MOST / LEAST, 1 / (CANDIDATES - 1.0));
        long one = Math.round(-Math.log(LEAST) / Math.log(ratio));
        double[] factors = new double[CANDIDATES];
        for (int k = 0; k < CANDIDATES; k++) {
            factors[k] = Math.pow(ratio, k - one);
        }
        return factors;
    }

    /// The scale with which `maximum` is the largest level, as stored; `row` is for error messages.
    float scale(double maximum, DType metadata, int row) {
        return WeightTensors.round((float) (maximum / levels[levels.length - 1]), metadata, row);
    }

    /// What brings a weight onto the format's grid; 0 for scales too small to divide by.
    float inverse(float scale) {
        float inverse = factor / scale;
        return Float.isInfinite(inverse) || Float.isNaN(inverse) ? 0f : inverse;
    }

    /// Writes the values stored for weights `from` to `to` of a row to the same places of `stored`.
    void store(float[] row, int from, int to, float scale, float[] stored) {
        float inverse = inverse(scale);
        for (int j = from; j < to; j++) {
            stored[j] = row[j] * inverse;
        }
        format.round(stored, from, to);
        for (int j = from; j < to; j++) {
            stored[j] = stored[j] / factor * scale;
        }
    }

    /// The squared errors of what is stored for weights `from` to `to` of a row, each as often as it counts, added up.
    ///
    /// @param work overwritten in these places
    double error(float[] row, float[] importance, int from, int to, float scale, float[] work) {
        store(row, from, to, scale, work);
        for (int j = from; j < to; j++) {
            float difference = work[j] - row[j];
            work[j] = importance[j] * difference * difference;
        }
        return Sums.of(work, from, to);
    }

    /// The level of a weight.
    byte code(float weight, float inverse) {
        return (byte) Grid.code(format.round(weight * inverse) / factor, thresholds);
    }
}
