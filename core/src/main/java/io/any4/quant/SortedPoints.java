package io.any4.quant;

import java.util.Arrays;

/// Weighted numbers in ascending order, equal ones merged, with prefix sums; refilled again and again.
final class SortedPoints {
    private static final int DIGIT_BITS = 11;
    private static final int BUCKETS = 1 << DIGIT_BITS;
    private static final int PASSES = 3; // 33 bits: enough for the 32 of a float

    private long[] keys;
    private long[] spare;
    private final int[] histogram = new int[PASSES * BUCKETS];

    private int size;
    private final double[] values;
    private final double[] weightBefore;
    private final double[] momentBefore;

    /// @param capacity the most points it will hold
    SortedPoints(int capacity) {
        keys = new long[capacity];
        spare = new long[capacity];
        values = new double[capacity];
        weightBefore = new double[capacity + 1];
        momentBefore = new double[capacity + 1];
    }

    /// Distinct values.
    int size() {
        return size;
    }

    /// The values, ascending; the first [#size()] count.
    double[] values() {
        return values;
    }

    /// Entry `i` is the sum of the weights of the values before `i`; [#size()] + 1 entries, strictly ascending.
    double[] weightBefore() {
        return weightBefore;
    }

    /// Entry `i` is the sum of weight times value over the values before `i`; [#size()] + 1 entries.
    double[] momentBefore() {
        return momentBefore;
    }

    /// Holds `count` values from now on, without those of weight 0; if all weights are 0, every value counts 1.
    void load(float[] newValues, float[] weights, int count) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (weights[i] > 0f) {
                keys[kept++] = key(newValues[i], weights[i]);
            }
        }
        if (kept == 0) {
            for (int i = 0; i < count; i++) {
                keys[kept++] = key(newValues[i], 1f);
            }
        }
        sort(kept);
        clear();
        for (int i = 0; i < kept; i++) {
            add(value(keys[i]), Float.intBitsToFloat((int) keys[i]));
        }
    }

    /// Holds nothing from now on.
    void clear() {
        size = 0;
    }

    /// Adds a value no smaller than those already there, with a positive weight.
    void add(double value, double weight) {
        if (size > 0 && values[size - 1] == value) {
            weightBefore[size] += weight;
            momentBefore[size] += weight * value;
            return;
        }
        values[size] = value;
        weightBefore[size + 1] = weightBefore[size] + weight;
        momentBefore[size + 1] = momentBefore[size] + weight * value;
        size++;
    }

    /// The centroid of values `from` (inclusive) to `to` (exclusive), at least one.
    double centroid(int from, int to) {
        return (momentBefore[to] - momentBefore[from]) / (weightBefore[to] - weightBefore[from]);
    }

    /// The weighted variance of the points.
    double variance() {
        double mean = centroid(0, size);
        double sum = 0;
        for (int i = 0; i < size; i++) {
            double distance = values[i] - mean;
            sum += (weightBefore[i + 1] - weightBefore[i]) * distance * distance;
        }
        return sum / weightBefore[size];
    }

    /// A number whose upper half orders like the value and whose lower half is the weight.
    private static long key(float value, float weight) {
        int bits = Float.floatToRawIntBits(value);
        int ordered = bits ^ ((bits >> 31) | Integer.MIN_VALUE);
        return ((long) ordered << 32) | (Float.floatToRawIntBits(weight) & 0xffffffffL);
    }

    private static float value(long key) {
        int ordered = (int) (key >>> 32);
        return Float.intBitsToFloat(ordered ^ ((~ordered >> 31) | Integer.MIN_VALUE));
    }

    /// Least significant digit first; stable, so equal values keep their order and sums do not depend on chance.
    private void sort(int count) {
        Arrays.fill(histogram, 0);
        for (int i = 0; i < count; i++) {
            for (int pass = 0; pass < PASSES; pass++) {
                histogram[pass * BUCKETS + digit(keys[i], pass)]++;
            }
        }
        for (int pass = 0; pass < PASSES; pass++) {
            int base = pass * BUCKETS;
            if (histogram[base + digit(keys[0], pass)] == count) {
                continue;
            }
            int start = 0;
            for (int bucket = base; bucket < base + BUCKETS; bucket++) {
                int here = histogram[bucket];
                histogram[bucket] = start;
                start += here;
            }
            for (int i = 0; i < count; i++) {
                long key = keys[i];
                spare[histogram[base + digit(key, pass)]++] = key;
            }
            long[] sorted = spare;
            spare = keys;
            keys = sorted;
        }
    }

    private static int digit(long key, int pass) {
        return (int) (key >>> (32 + pass * DIGIT_BITS)) & (BUCKETS - 1);
    }
}
