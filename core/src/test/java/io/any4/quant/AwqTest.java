package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// AWQ's two searches: what they gain, and that they find what a plain search finds.
final class AwqTest {
    private static final Team TEAM = new Team(1);
    private static final int K = LayerProblem.COLUMNS;
    private static final QuantizationSpec INT4 =
            QuantizationSpec.parse("int4,group-size=64,zero-point=integer,metadata=f32");

    @AfterAll
    static void close() {
        TEAM.close();
    }

    @ParameterizedTest
    @ValueSource(strings = {"int4,zero-point=integer", "int3", "any4", "nf4"})
    void scaledWeightsGiveBetterOutputs(String text) {
        QuantizationSpec spec = QuantizationSpec.parse(text);
        LayerProblem problem = new LayerProblem(1);
        Awq.Scales found = search(problem, spec, true);
        assertThat(found.ratio()).isPositive();
        assertThat(found.error()).isLessThan(found.unscaledError());
        double plain = problem.outputError(problem.quantize(text));
        assertThat(problem.outputError(scaled(problem, spec, found.scales()))).isLessThan(0.95 * plain);
    }

    /// Every ratio tried out in double arithmetic on the calibration moments.
    @Test
    void theScalesAreThoseOfAPlainSearch() {
        LayerProblem problem = new LayerProblem(2);
        double[][] h = problem.hessian();
        double least = Double.POSITIVE_INFINITY;
        double bestRatio = -1;
        for (int step = 0; step < 20; step++) {
            double ratio = step / 20.0;
            double error = outputError(h, problem.weights(), scaled(problem, INT4, plainScales(problem, ratio)));
            if (error < least) {
                least = error;
                bestRatio = ratio;
            }
        }
        Awq.Scales found = search(problem, INT4, true);
        assertThat(found.ratio()).isEqualTo(bestRatio);
        assertThat(found.error()).isCloseTo(least, within(1e-4 * least));
        assertThat(found.scales()).containsExactly(plainScales(problem, bestRatio), within(1e-6f));
    }

    @Test
    void withoutAHessianChannelsCountAsUncorrelated() {
        LayerProblem problem = new LayerProblem(3);
        Awq.Scales found = search(problem, INT4, false);
        double[] moments = problem.statistics().secondMoment();
        float[] stored = scaled(problem, INT4, found.scales());
        double expected = 0;
        for (int i = 0; i < stored.length; i++) {
            expected += moments[i % K] * Math.pow((double) stored[i] - problem.weights()[i], 2);
        }
        assertThat(found.error()).isCloseTo(expected, within(1e-4 * expected));
        assertThat(found.error()).isLessThan(found.unscaledError());
    }

    @Test
    void severalConsumersShareTheirScales() {
        LayerProblem one = new LayerProblem(4);
        Tensor other = Tensor.ofFloats(QuantizerTest.random(7, K, 1), 7, K);
        Awq awq = new Awq(INT4, one.statistics(), GptqTest.hessian(one.hessian()), Awq.Settings.USUAL, TEAM);
        double first = awq.search(List.of(one.tensor())).unscaledError();
        double second = awq.search(List.of(other)).unscaledError();
        assertThat(awq.search(List.of(one.tensor(), other)).unscaledError())
                .isCloseTo(first + second, within(1e-6 * (first + second)));
    }

    @Test
    void clippingGivesBetterOutputs() {
        QuantizationSpec spec = QuantizationSpec.parse("int3,zero-point=integer,group-size=80");
        LayerProblem problem = new LayerProblem(5);
        Tensor clipped =
                ClipSearch.clip(problem.tensor(), GptqTest.hessian(problem.hessian()), spec, TEAM, Arena.ofAuto());
        Weight weight = spec.quantizer().quantize(clipped, null, TEAM, RowListener.NONE);
        double plain = problem.outputError(problem.quantize(spec.describe()));
        assertThat(problem.outputError(weight)).isLessThan(0.95 * plain);
    }

    /// Every bound tried out in double arithmetic, group by group.
    @Test
    void theBoundsAreThoseOfAPlainSearch() {
        LayerProblem problem = new LayerProblem(6);
        double[][] h = problem.hessian();
        float[] clipped = ClipSearch.clip(problem.tensor(), GptqTest.hessian(h), INT4, TEAM, Arena.ofAuto())
                .toFloats();
        int same = 0;
        int all = 0;
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            for (int from = 0; from < K; from += 64) {
                int to = Math.min(K, from + 64);
                float largest = Groups.absoluteMax(clipped, row * K + from, row * K + to);
                same += Math.abs(largest - plainBound(problem, h, row, from, to)) < 1e-6 ? 1 : 0;
                all++;
            }
        }
        assertThat(same).isEqualTo(all);
    }

    @Test
    void groupsThatDependOnEachOtherCannotBeClippedAlone() {
        LayerProblem problem = new LayerProblem(6);
        Hessian hessian = GptqTest.hessian(problem.hessian());
        QuantizationSpec any4 = QuantizationSpec.parse("any4");
        assertThatThrownBy(() -> ClipSearch.clip(problem.tensor(), hessian, any4, TEAM, Arena.ofAuto()))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static float plainBound(LayerProblem problem, double[][] h, int row, int from, int to) {
        float[] group = java.util.Arrays.copyOfRange(problem.weights(), row * K + from, row * K + to);
        float absmax = Groups.absoluteMax(group, 0, group.length);
        double least = Double.POSITIVE_INFINITY;
        float best = 0;
        for (int trial = 0; trial < 10; trial++) {
            float bound = (1 - trial / 20f) * absmax;
            float[] clipped = group.clone();
            for (int j = 0; j < group.length; j++) {
                clipped[j] = Math.clamp(group[j], -bound, bound);
            }
            Weight weight =
                    INT4.quantizer().quantize(Tensor.ofFloats(clipped, 1, group.length), null, TEAM, RowListener.NONE);
            float[] stored = IntGoldenTest.values(weight);
            double error = 0;
            for (int i = 0; i < group.length; i++) {
                for (int j = 0; j < group.length; j++) {
                    error += ((double) stored[i] - group[i]) * h[from + i][from + j] * ((double) stored[j] - group[j]);
                }
            }
            if (error < least) {
                least = error;
                best = bound;
            }
        }
        return best;
    }

    private static Awq.Scales search(LayerProblem problem, QuantizationSpec spec, boolean correlated) {
        Hessian hessian = correlated ? GptqTest.hessian(problem.hessian()) : null;
        return new Awq(spec, problem.statistics(), hessian, Awq.Settings.USUAL, TEAM).search(List.of(problem.tensor()));
    }

    private static float[] plainScales(LayerProblem problem, double ratio) {
        double[] activations = problem.statistics().meanAbsolute();
        double[] scales = new double[K];
        double largest = 0;
        double smallest = Double.MAX_VALUE;
        for (int j = 0; j < K; j++) {
            scales[j] = Math.max(Math.pow(activations[j], ratio), 1e-4);
            largest = Math.max(largest, scales[j]);
            smallest = Math.min(smallest, scales[j]);
        }
        float[] centred = new float[K];
        for (int j = 0; j < K; j++) {
            centred[j] = (float) (scales[j] / Math.sqrt(largest * smallest));
        }
        return centred;
    }

    /// What the layer computes with: scaled, quantized, scaled back.
    private static float[] scaled(LayerProblem problem, QuantizationSpec spec, float[] scales) {
        Tensor scaled = Awq.scaled(problem.tensor(), scales, Arena.ofAuto());
        Weight weight =
                spec.quantizer().quantize(scaled, problem.statistics().scaledBy(scales), TEAM, RowListener.NONE);
        float[] stored = IntGoldenTest.values(weight);
        for (int i = 0; i < stored.length; i++) {
            stored[i] /= scales[i % K];
        }
        return stored;
    }

    private static double outputError(double[][] h, float[] weights, float[] stored) {
        double error = 0;
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            for (int i = 0; i < K; i++) {
                double di = (double) stored[row * K + i] - weights[row * K + i];
                for (int j = 0; j < K; j++) {
                    error += di * h[i][j] * ((double) stored[row * K + j] - weights[row * K + j]);
                }
            }
        }
        return error;
    }
}
