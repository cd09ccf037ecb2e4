package io.any4.quant;

import java.util.Arrays;

/// The fit of one row as `table[code] * scale`, with whole scales from -127 to 127 per group.
final class SignedScaleRow {
    private static final int LARGEST_SCALE = 127;
    private static final int START_FACTORS = 10;
    private static final float LEAST_FACTOR = 0.6f;
    private static final float FACTOR_STEP = 0.45f / (START_FACTORS - 1); // up to 1.05

    private final float[] row;
    private final float[] factors;
    private final int groupSize;
    private final float[] startLevels;
    private final float[] startThresholds;
    private final float[] table;
    private final float[] thresholds;
    private final byte[] codes;
    private final float[] scales;
    private final float[] searchWeights;
    private final double[] numerators;
    private final double[] denominators;

    /// @param row the weights; refilled for each row
    /// @param factors how much the error in each column counts
    SignedScaleRow(float[] row, float[] factors, int groupSize, int bits) {
        this.row = row;
        this.factors = factors;
        this.groupSize = groupSize;
        int levels = 1 << bits;
        startLevels = Grid.uneven(bits);
        startThresholds = new float[levels - 1];
        Grid.midpoints(startLevels, levels, startThresholds);
        table = new float[levels];
        thresholds = new float[levels - 1];
        codes = new byte[row.length];
        scales = new float[Math.ceilDiv(row.length, groupSize)];
        searchWeights = new float[row.length];
        numerators = new double[levels];
        denominators = new double[levels];
    }

    /// What a code stands for, in units of a scale's step; ascending. Written from outside at first.
    float[] table() {
        return table;
    }

    /// Per group: a whole number.
    float[] scales() {
        return scales;
    }

    /// The codes that [#improveScales] chose.
    byte[] codes() {
        return codes;
    }

    private int end(int group) {
        return (int) Math.min(row.length, (group + 1L) * groupSize);
    }

    /// Finds each group's scale for the start levels, then rounds all to whole multiples of the largest over 127.
    void searchScales() {
        float largest = 0f;
        for (int group = 0; group < scales.length; group++) {
            scales[group] = searchScale(group * groupSize, end(group));
            largest = Math.max(largest, Math.abs(scales[group]));
        }
        for (int group = 0; group < scales.length; group++) {
            scales[group] = largest == 0f ? 0f : (float) Math.rint(scales[group] / largest * LARGEST_SCALE);
        }
    }

    /// Tries the scales that bring the largest weight, or nearly so, to the widest level, either way up. Errors of
    /// large weights count more here: they suffer most from levels that are not yet their own.
    private float searchScale(int from, int to) {
        float absmax = Groups.absoluteMax(row, from, to);
        if (absmax < Float.MIN_NORMAL) {
            return 0f;
        }
        double meanSquare = 0;
        for (int j = from; j < to; j++) {
            meanSquare += (double) row[j] * row[j] / (to - from);
        }
        for (int j = from; j < to; j++) {
            searchWeights[j] = (float) (factors[j] * Math.sqrt(2 * meanSquare + (double) row[j] * row[j]));
        }
        double bestGain = 0;
        float best = 0f;
        for (int trial = 0; trial < 2 * START_FACTORS; trial++) {
            float width = absmax * (LEAST_FACTOR + trial / 2 * FACTOR_STEP);
            float inverse = (trial % 2 == 0 ? 1f : -1f) / width;
            double product = 0;
            double square = 0;
            for (int j = from; j < to; j++) {
                float level = startLevels[Grid.code(row[j] * inverse, startThresholds)];
                product += searchWeights[j] * level * row[j];
                square += searchWeights[j] * level * level;
            }
            if (product * product > bestGain * square) {
                bestGain = product * product / square;
                best = (float) (product / square);
            }
        }
        return best;
    }

    /// Writes `weight / scale` and how much an error in it counts.
    void ratios(float[] ratios, float[] weights) {
        for (int group = 0; group < scales.length; group++) {
            float scale = scales[group];
            for (int j = group * groupSize; j < end(group); j++) {
                ratios[j] = scale == 0f ? 0f : row[j] / scale;
                weights[j] = factors[j] * scale * scale;
            }
        }
    }

    /// Moves every group's scale to the best of a few near the least-squares one, its codes along with it.
    void improveScales() {
        Grid.midpoints(table, table.length, thresholds);
        for (int group = 0; group < scales.length; group++) {
            int from = group * groupSize;
            int to = end(group);
            float chosen = scales[group];
            double least = error(from, to, chosen);
            int center = Math.clamp(leastSquaresScale(from, to, chosen), 1 - LARGEST_SCALE, LARGEST_SCALE - 1);
            for (int scale = center - 1; scale <= center + 1; scale++) {
                double error = scale == scales[group] ? least : error(from, to, scale);
                if (error < least) {
                    least = error;
                    chosen = scale;
                }
            }
            scales[group] = chosen;
            encode(from, to, chosen);
        }
    }

    private double error(int from, int to, float scale) {
        float inverse = inverse(scale);
        double error = 0;
        for (int j = from; j < to; j++) {
            float difference = row[j] - table[Grid.code(row[j] * inverse, thresholds)] * scale;
            error += factors[j] * difference * difference;
        }
        return error;
    }

    /// The best scale for the codes that `scale` gives, rounded.
    private int leastSquaresScale(int from, int to, float scale) {
        float inverse = inverse(scale);
        double product = 0;
        double square = 0;
        for (int j = from; j < to; j++) {
            double level = table[Grid.code(row[j] * inverse, thresholds)];
            product += factors[j] * level * row[j];
            square += factors[j] * level * level;
        }
        return square == 0 ? (int) scale : (int) Math.rint(Math.clamp(product / square, -LARGEST_SCALE, LARGEST_SCALE));
    }

    private void encode(int from, int to, float scale) {
        float inverse = inverse(scale);
        for (int j = from; j < to; j++) {
            codes[j] = (byte) Grid.code(row[j] * inverse, thresholds);
        }
    }

    private static float inverse(float scale) {
        return scale == 0f ? 0f : 1f / scale;
    }

    /// Moves every entry to the best value for the weights that have its code.
    void improveTable() {
        Arrays.fill(numerators, 0);
        Arrays.fill(denominators, 0);
        for (int group = 0; group < scales.length; group++) {
            double scale = scales[group];
            for (int j = group * groupSize; j < end(group); j++) {
                double weighted = factors[j] * scale;
                numerators[codes[j]] += weighted * row[j];
                denominators[codes[j]] += weighted * scale;
            }
        }
        for (int k = 0; k < table.length; k++) {
            if (denominators[k] > 0) {
                table[k] = (float) (numerators[k] / denominators[k]);
            }
        }
        Arrays.sort(table); // an entry without weights may have been overtaken
    }

    /// Writes what the fit stores for the row.
    void read(float[] stored) {
        for (int group = 0; group < scales.length; group++) {
            for (int j = group * groupSize; j < end(group); j++) {
                stored[j] = table[codes[j]] * scales[group];
            }
        }
    }
}
