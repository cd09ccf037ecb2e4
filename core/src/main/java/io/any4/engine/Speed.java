package io.any4.engine;

import java.util.Arrays;

/// How fast something was, over several repetitions.
///
/// @param tokens tokens per repetition
/// @param median tokens per second of the median repetition
/// @param least of the slowest
/// @param greatest of the fastest
public record Speed(int tokens, double median, double least, double greatest) {
    /// The speed of repetitions that took so many seconds each.
    static Speed of(int tokens, double[] seconds) {
        double[] sorted = seconds.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Speed(tokens, tokens / median, tokens / sorted[sorted.length - 1], tokens / sorted[0]);
    }
}
