package io.any4.eval.tasks;

import java.util.List;
import java.util.stream.IntStream;

/// Means and standard errors, by the formulas of lm-evaluation-harness.
final class Statistics {
    private static final int RESAMPLES_PER_SEED = 1000;
    private static final int SEEDS = 100;

    private Statistics() {}

    static double mean(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum / values.length;
    }

    /// Standard error of the mean, from the sample variance (n - 1).
    static double standardError(double[] values) {
        return sampleDeviation(values) / Math.sqrt(values.length);
    }

    static double perplexity(double[] logLikelihoods) {
        return Math.exp(-mean(logLikelihoods));
    }

    /// Standard deviation of the perplexity over 100,000 samples drawn with replacement, drawn as the harness does.
    static double bootstrapPerplexity(double[] logLikelihoods) {
        double[] perplexities = new double[SEEDS * RESAMPLES_PER_SEED];
        IntStream.range(0, SEEDS).parallel().forEach(seed -> {
            PythonRandom random = new PythonRandom(seed);
            for (int i = 0; i < RESAMPLES_PER_SEED; i++) {
                perplexities[seed * RESAMPLES_PER_SEED + i] = Math.exp(-resampledMean(logLikelihoods, random));
            }
        });
        return sampleDeviation(perplexities);
    }

    private static double resampledMean(double[] values, PythonRandom random) {
        double sum = 0;
        for (int i = 0; i < values.length; i++) {
            sum += values[random.choice(values.length)];
        }
        return sum / values.length;
    }

    private static double sampleDeviation(double[] values) {
        double mean = mean(values);
        double squares = 0;
        for (double value : values) {
            squares += (value - mean) * (value - mean);
        }
        return Math.sqrt(squares / (values.length - 1));
    }

    /// Mean of several tasks' means, each weighted by its documents.
    static double pooledMean(List<TaskResult> parts) {
        double sum = 0;
        long documents = 0;
        for (TaskResult part : parts) {
            sum += part.value() * part.documents();
            documents += part.documents();
        }
        return sum / documents;
    }

    /// Standard error of [#pooledMean] from the pooled variance; NaN if a part has none.
    static double pooledStandardError(List<TaskResult> parts) {
        double squares = 0;
        long documents = 0;
        for (TaskResult part : parts) {
            double error = part.standardError() == null ? Double.NaN : part.standardError();
            squares += (part.documents() - 1) * error * error * part.documents();
            documents += part.documents();
        }
        return Math.sqrt(squares / (documents - parts.size()) / documents);
    }
}
