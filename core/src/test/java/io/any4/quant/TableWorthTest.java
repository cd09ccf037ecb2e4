package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What each step from integers to tables learned for the layer's output is worth, on layers with correlated inputs.
final class TableWorthTest {
    private static final int LAYERS = 4;

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "any4,kmeans=lloyd,weighting=mean | int4",
                "any4,kmeans=exact,weighting=mean | any4,kmeans=lloyd,weighting=mean",
                "any4,kmeans=exact | any4,kmeans=lloyd,weighting=mean",
                "any4 | any4,weighting=none",
                "any3 | int3",
                "any2 | int2",
                "fp4-e2m1 | fp4",
                "nf4 | fp4"
            })
    void outputsAreBetter(String better, String worse) {
        assertThat(error(better)).isLessThan(error(worse));
    }

    /// The mean over a few layers.
    private static double error(String spec) {
        double sum = 0;
        for (int seed = 1; seed <= LAYERS; seed++) {
            LayerProblem problem = new LayerProblem(seed);
            sum += problem.outputError(problem.quantize(spec)) / LAYERS;
        }
        return sum;
    }
}
