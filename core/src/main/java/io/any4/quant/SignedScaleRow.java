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
    private final LevelSearch start;
    private final LevelSearch search;
    private final float[] table;
    private final float[] nearest;
    private final float[] products;
    private final float[] squares;
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
        start = new LevelSearch(levels);
        start.use(Grid.uneven(bits));
        search = new LevelSearch(levels);
        table = new float[levels];
        nearest = new float[row.length];
        products = new float[row.length];
        squares = new float[row.length];
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

    /// The largest scale that any group has for the start levels, in the weights' own unit.
    float largestScale() {
        float largest = 0f;
        for (int group = 0; group < scales.length; group++) {
            scales[group] = searchScale(group * groupSize, end(group));
            largest = Math.max(largest, Math.abs(scales[group]));
        }
        return largest;
    }

    /// Finds each group's scale for the start levels, then rounds all to whole multiples of the largest over 127.
    void searchScales() {
        float largest = largestScale();
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
            start.levels(row, from, to, inverse, nearest);
            weigh(searchWeights, from, to);
            double product = Sums.of(products, from, to);
            double square = Sums.of(squares, from, to);
            if (product * product > bestGain * square) {
                bestGain = product * product / square;
                best = (float) (product / square);
            }
        }
        return best;
    }

    /// Sets weights times nearest levels and these squared, each as often as it counts.
    private void weigh(float[] counts, int from, int to) {
        for (int j = from; j < to; j++) {
            float weighted = counts[j] * nearest[j];
            products[j] = weighted * row[j];
            squares[j] = weighted * nearest[j];
        }
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
        search.use(table);
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
            search.codes(row, from, to, inverse(chosen), codes);
        }
    }

    private double error(int from, int to, float scale) {
        search.levels(row, from, to, inverse(scale), nearest);
        for (int j = from; j < to; j++) {
            float difference = row[j] - nearest[j] * scale;
            squares[j] = factors[j] * difference * difference;
        }
        return Sums.of(squares, from, to);
    }

    /// The best scale for the codes that `scale` gives, rounded.
    private int leastSquaresScale(int from, int to, float scale) {
        search.levels(row, from, to, inverse(scale), nearest);
        weigh(factors, from, to);
        double product = Sums.of(products, from, to);
        double square = Sums.of(squares, from, to);
        return square == 0 ? (int) scale : (int) Math.rint(Math.clamp(product / square, -LARGEST_SCALE, LARGEST_SCALE));
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
