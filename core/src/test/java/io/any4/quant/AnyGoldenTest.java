package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// any4, any3 and any2 against the reference's k-means and against the optimum, by the objective they minimise.
@Tag("shared")
final class AnyGoldenTest {
    private final List<GoldenCase> cases = GoldenCase.withOptimum();

    @Test
    void exactClusteringIsTheOptimum() {
        assertThat(cases).hasSize(57);
        for (GoldenCase c : cases) {
            assertThat(c.clustered(Clustering.EXACT)).as(c.key()).isCloseTo(c.optimum(), within(1e-6 * c.optimum()));
        }
    }

    @Test
    void rowsShorterThanTheBinsAreSolvedExactlyByFast() {
        for (GoldenCase c : cases) {
            assertThat(c.clustered(Clustering.FAST)).as(c.key()).isCloseTo(c.optimum(), within(1e-6 * c.optimum()));
        }
    }

    @Test
    void lloydIsAsGoodAsTheReference() {
        for (GoldenCase c : cases) {
            double spread = c.reference("km_obj", "max") - c.reference("km_obj", "min");
            assertThat(c.clustered(Clustering.LLOYD))
                    .as(c.key())
                    .isBetween(c.optimum() * (1 - 1e-6), c.reference("km_obj", "max") + 2 * spread);
        }
    }

    @Test
    void whatIsStoredIsNoWorseThanTheReferencesBestSeed() {
        for (GoldenCase c : cases) {
            if (c.expressible()) {
                double exact = c.quantized("kmeans=exact");
                assertThat(exact).as(c.key()).isLessThanOrEqualTo(c.reference("km_obj", "min"));
                assertThat(exact).as(c.key()).isLessThanOrEqualTo(c.optimum() * (1 + 1e-6));
                assertThat(c.quantized("kmeans=fast")).as(c.key()).isLessThanOrEqualTo(c.optimum() * 1.002);
            }
        }
    }

    @Test
    void theSquaredErrorOfTheWeightsIsNoWorseThanTheReferencesMean() {
        for (GoldenCase c : cases) {
            if (c.expressible()) {
                assertThat(c.meanSquaredError("kmeans=exact"))
                        .as(c.key())
                        .isLessThanOrEqualTo(c.reference("mse", "mean"));
            }
        }
    }

    @Test
    void oneTablePerMatrixIsNoWorseThanTheReferencesBestSeed() {
        List<GoldenCase> global = GoldenCase.global();
        assertThat(global).hasSize(4);
        for (GoldenCase c : global) {
            assertThat(c.meanSquaredError("kmeans=exact,table=matrix"))
                    .as(c.key())
                    .isLessThanOrEqualTo(c.reference("mse", "min"));
        }
    }
}
