package io.any4.calibrate;

import io.any4.quant.ChannelStatistics;

/// Sums over tokens of each input channel's values, magnitudes and squares; in double, token after token.
final class ChannelSums {
    private final double[] sum;
    private final double[] absolute;
    private final double[] squared;
    private long tokens;

    ChannelSums(int channels) {
        sum = new double[channels];
        absolute = new double[channels];
        squared = new double[channels];
    }

    /// Adds the first `count` rows of x, `[count, channels]`.
    void add(float[] x, int count) {
        int channels = sum.length;
        for (int t = 0; t < count; t++) {
            int row = t * channels;
            for (int c = 0; c < channels; c++) {
                double value = x[row + c];
                sum[c] += value;
                absolute[c] += Math.abs(value);
                squared[c] += value * value;
            }
        }
        tokens += count;
    }

    void add(ChannelSums other) {
        for (int c = 0; c < sum.length; c++) {
            sum[c] += other.sum[c];
            absolute[c] += other.absolute[c];
            squared[c] += other.squared[c];
        }
        tokens += other.tokens;
    }

    long tokens() {
        return tokens;
    }

    int channels() {
        return sum.length;
    }

    ChannelStatistics means() {
        return new ChannelStatistics(divided(sum), divided(absolute), divided(squared), tokens);
    }

    private double[] divided(double[] sums) {
        double[] means = new double[sums.length];
        for (int c = 0; c < means.length; c++) {
            means[c] = tokens == 0 ? 0 : sums[c] / tokens;
        }
        return means;
    }
}
