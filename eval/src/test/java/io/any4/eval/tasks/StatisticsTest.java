package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.stream.DoubleStream;
import org.junit.jupiter.api.Test;

class StatisticsTest {
    @Test
    void standardErrorOfAShareIsThatOfABernoulliTrialWithBesselsCorrection() {
        double[] scores = {1, 0, 0, 1, 1, 0, 1, 1};
        double share = 5 / 8.0;
        assertThat(Statistics.mean(scores)).isEqualTo(share);
        assertThat(Statistics.standardError(scores)).isCloseTo(Math.sqrt(share * (1 - share) / 7), within(1e-15));
    }

    /// For a narrow distribution the bootstrap approaches the delta method: perplexity times the error of the mean.
    @Test
    void bootstrapApproachesTheDeltaMethod() {
        double[] logLikelihoods =
                DoubleStream.iterate(-2, x -> x + 0.001).limit(100).toArray();
        double n = logLikelihoods.length;
        double populationError = Statistics.standardError(logLikelihoods) * Math.sqrt((n - 1) / n);
        double expected = Statistics.perplexity(logLikelihoods) * populationError;
        assertThat(Statistics.bootstrapPerplexity(logLikelihoods)).isCloseTo(expected, within(expected / 50));
    }

    /// Pooling equals treating all documents as one sample, but for the differences between the parts' means.
    @Test
    void pooledErrorWeighsPartsByTheirDocuments() {
        double[] first = {1, 0, 1, 1};
        double[] second = {0, 0, 1, 0, 1, 1, 0, 1};
        List<TaskResult> parts = List.of(result(first), result(second));
        double variance = (squares(first) + squares(second)) / (first.length + second.length - 2);
        assertThat(Statistics.pooledMean(parts)).isCloseTo(7 / 12.0, within(1e-15));
        assertThat(Statistics.pooledStandardError(parts)).isCloseTo(Math.sqrt(variance / 12), within(1e-15));
    }

    @Test
    void aPartWithOneDocumentLeavesTheWholeWithoutError() {
        TaskResult single = new TaskResult("t", "1", "acc", 1, null, true, 1, 0, null);
        assertThat(Statistics.pooledStandardError(List.of(result(new double[] {0, 1}), single)))
                .isNaN();
    }

    private static TaskResult result(double[] scores) {
        return new TaskResult(
                "t",
                "1",
                "acc",
                Statistics.mean(scores),
                Statistics.standardError(scores),
                true,
                scores.length,
                0,
                null);
    }

    private static double squares(double[] values) {
        double mean = Statistics.mean(values);
        return DoubleStream.of(values).map(v -> (v - mean) * (v - mean)).sum();
    }
}
