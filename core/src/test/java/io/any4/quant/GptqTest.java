package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Comparator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Error feedback: what it gains, and that it is GPTQ.
final class GptqTest {
    private static final Team TEAM = new Team(2);
    private static final int K = LayerProblem.COLUMNS;

    @AfterAll
    static void close() {
        TEAM.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "int4",
                "nf4",
                "fp4",
                "fp4-e2m1",
                "any4",
                "any3",
                "any2",
                "any4s",
                "any3s",
                "int8",
                "int3,symmetric=true"
            })
    void outputsAreBetterThanByRoundingToNearest(String spec) {
        LayerProblem problem = new LayerProblem(1);
        Weight nearest = problem.quantize(spec);
        Weight fed = requantize(problem, nearest, Gptq.Settings.USUAL).weight();
        assertThat(problem.outputError(fed)).isLessThan(0.8 * problem.outputError(nearest));
    }

    @Test
    void onlyCodesChange() {
        LayerProblem problem = new LayerProblem(3);
        LutWeight nearest = (LutWeight) problem.quantize("any4");
        LutWeight fed =
                (LutWeight) requantize(problem, nearest, Gptq.Settings.USUAL).weight();
        assertThat(fed.lut()).isSameAs(nearest.lut());
        assertThat(fed.scale()).isSameAs(nearest.scale());
        assertThat(fed.zero()).isSameAs(nearest.zero());
        assertThat(fed.bytes()).isEqualTo(nearest.bytes());
    }

    @Test
    void theReportedErrorIsThatOfTheDampedHessian() {
        LayerProblem problem = new LayerProblem(4);
        Gptq.Result result = requantize(problem, problem.quantize("any4"), Gptq.Settings.USUAL);
        double[][] h = damped(problem.hessian(), 0.01);
        float[] stored = IntGoldenTest.values(result.weight());
        double expected = 0;
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            for (int i = 0; i < K; i++) {
                for (int j = 0; j < K; j++) {
                    double ei = problem.weights()[row * K + i] - (double) stored[row * K + i];
                    double ej = problem.weights()[row * K + j] - (double) stored[row * K + j];
                    expected += ei * h[i][j] * ej;
                }
            }
        }
        assertThat(result.outputError()).isCloseTo(expected, within(1e-3 * expected));
    }

    /// As in the paper: the inverse, its upper Cholesky factor, and updates of all later columns.
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void codesAreThoseOfThePapersAlgorithm(boolean byActivation) {
        for (String spec : new String[] {"int4", "any3", "any4s"}) {
            LayerProblem problem = new LayerProblem(7);
            LutWeight levels = (LutWeight) problem.quantize(spec);
            Weight fed = requantize(problem, levels, new Gptq.Settings(0.01, byActivation, 0))
                    .weight();
            float[] expected = paper(problem, levels, byActivation);
            float[] actual = IntGoldenTest.values(fed);
            int different = 0;
            for (int i = 0; i < actual.length; i++) {
                different += Math.abs(actual[i] - expected[i]) > 1e-6 ? 1 : 0;
            }
            // A tie that falls the other way in 32 bits changes what follows in its row.
            assertThat(different).as(spec).isLessThan(actual.length / 100);
            assertThat(problem.outputError(actual)).isCloseTo(problem.outputError(expected), within(1e-3));
        }
    }

    @Test
    void theResultDoesNotDependOnTheThreads() {
        LayerProblem problem = new LayerProblem(8);
        Weight levels = problem.quantize("any4");
        float[] two = IntGoldenTest.values(
                requantize(problem, levels, Gptq.Settings.USUAL).weight());
        for (int threads : new int[] {1, 3}) {
            try (Team team = new Team(threads)) {
                Gptq gptq = Gptq.prepare(hessian(problem.hessian()), Gptq.Settings.USUAL, team);
                Weight fed = gptq.requantize(problem.tensor(), levels, team, RowListener.NONE, Arena.ofAuto())
                        .weight();
                assertThat(IntGoldenTest.values(fed)).isEqualTo(two);
            }
        }
    }

    @Test
    void channelsThatAreNeverActiveAreRoundedToNearest() {
        LayerProblem problem = new LayerProblem(9);
        double[][] h = problem.hessian();
        for (int j = 0; j < K; j++) {
            h[17][j] = 0;
            h[j][17] = 0;
        }
        Weight nearest = problem.quantize("int4");
        Gptq gptq = Gptq.prepare(hessian(h), Gptq.Settings.USUAL, TEAM);
        Weight fed = gptq.requantize(problem.tensor(), nearest, TEAM, RowListener.NONE, Arena.ofAuto())
                .weight();
        float[] expected = IntGoldenTest.values(nearest);
        float[] actual = IntGoldenTest.values(fed);
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            assertThat(actual[row * K + 17]).isEqualTo(expected[row * K + 17]);
        }
    }

    @Test
    void aSingularHessianIsDampedMore() {
        double[][] h = new double[K][K];
        for (double[] row : h) {
            Arrays.fill(row, 1); // one direction only
        }
        Gptq undamped = Gptq.prepare(hessian(h), new Gptq.Settings(0, true, 0), TEAM);
        assertThat(undamped.damping()).isGreaterThan(0);
        LayerProblem problem = new LayerProblem(2);
        Weight fed = undamped.requantize(
                        problem.tensor(), problem.quantize("any4"), TEAM, RowListener.NONE, Arena.ofAuto())
                .weight();
        for (float value : IntGoldenTest.values(fed)) {
            assertThat(value).isFinite();
        }
    }

    @Test
    void activationsThatOverflowAreASentence() {
        double[][] h = new double[2][2];
        h[1][1] = Double.POSITIVE_INFINITY;
        assertThatThrownBy(() -> Gptq.prepare(hessian(h), Gptq.Settings.USUAL, TEAM))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("channel 1 are not finite");
    }

    @Test
    void factorsOfMoreThanOneBlockMultiplyBack() {
        double[][] h = damped(new LayerProblem(1).hessian(), 0.01);
        double[][] lower = new double[K][];
        for (int i = 0; i < K; i++) {
            lower[i] = Arrays.copyOf(h[i], i + 1);
        }
        assertThat(ReverseCholesky.factor(lower, TEAM)).isTrue();
        for (int i = 0; i < K; i++) {
            for (int j = 0; j <= i; j++) {
                double product = 0;
                for (int k = i; k < K; k++) {
                    product += lower[k][i] * lower[k][j];
                }
                assertThat(product).isCloseTo(h[i][j], within(1e-9 * Math.sqrt(h[i][i] * h[j][j])));
            }
        }
    }

    private static Gptq.Result requantize(LayerProblem problem, Weight levels, Gptq.Settings settings) {
        return Gptq.prepare(hessian(problem.hessian()), settings, TEAM)
                .requantize(problem.tensor(), levels, TEAM, RowListener.NONE, Arena.ofAuto());
    }

    static Hessian hessian(double[][] moments) {
        int n = moments.length;
        float[] flat = new float[n * n];
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                flat[i * n + j] = (float) moments[i][j];
            }
        }
        return new Hessian(Tensor.ofFloats(flat, n, n), 1000);
    }

    static double[][] damped(double[][] h, double damping) {
        double mean = 0;
        for (int j = 0; j < h.length; j++) {
            mean += h[j][j] / h.length;
        }
        double[][] damped = new double[h.length][];
        for (int j = 0; j < h.length; j++) {
            damped[j] = h[j].clone();
            damped[j][j] += damping * mean;
        }
        return damped;
    }

    private static float[] paper(LayerProblem problem, LutWeight levels, boolean byActivation) {
        double[][] h = damped(problem.hessian(), 0.01);
        Integer[] order = new Integer[K];
        Arrays.setAll(order, j -> j);
        if (byActivation) {
            Arrays.sort(order, Comparator.comparingDouble(j -> -h[j][j]));
        }
        double[][] permuted = new double[K][K];
        for (int i = 0; i < K; i++) {
            for (int j = 0; j < K; j++) {
                permuted[i][j] = h[order[i]][order[j]];
            }
        }
        double[][] upper = upperCholesky(inverse(permuted));
        float[] stored = new float[problem.weights().length];
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            double[] w = new double[K];
            for (int i = 0; i < K; i++) {
                w[i] = problem.weights()[row * K + order[i]];
            }
            for (int i = 0; i < K; i++) {
                double q = nearest(levels, row, order[i], w[i]);
                stored[row * K + order[i]] = (float) q;
                double error = (w[i] - q) / upper[i][i];
                for (int j = i; j < K; j++) {
                    w[j] -= error * upper[i][j];
                }
            }
        }
        return stored;
    }

    static double nearest(LutWeight levels, int row, int column, double value) {
        int group = row * levels.groups() + column / levels.groupSize();
        double scale = levels.scale().getFloat(group);
        double zero = levels.zero() == null ? 0 : levels.zero().getFloat(group);
        double best = Double.NaN;
        for (int k = 0; k < levels.levels(); k++) {
            int table = levels.lut().rows() == 1 ? 0 : row * levels.levels();
            double level = levels.lut().getFloat(table + k) * scale + zero;
            if (k == 0 || Math.abs(level - value) < Math.abs(best - value)) {
                best = level;
            }
        }
        return best;
    }

    /// Gauss and Jordan.
    static double[][] inverse(double[][] matrix) {
        int n = matrix.length;
        double[][] a = new double[n][];
        double[][] inverse = new double[n][n];
        for (int i = 0; i < n; i++) {
            a[i] = matrix[i].clone();
            inverse[i][i] = 1;
        }
        for (int i = 0; i < n; i++) {
            double pivot = a[i][i];
            for (int j = 0; j < n; j++) {
                a[i][j] /= pivot;
                inverse[i][j] /= pivot;
            }
            for (int r = 0; r < n; r++) {
                double factor = a[r][i];
                if (r != i && factor != 0) {
                    for (int j = 0; j < n; j++) {
                        a[r][j] -= factor * a[i][j];
                        inverse[r][j] -= factor * inverse[i][j];
                    }
                }
            }
        }
        return inverse;
    }

    /// `U` with `matrix = U^T U`.
    static double[][] upperCholesky(double[][] matrix) {
        int n = matrix.length;
        double[][] upper = new double[n][n];
        for (int i = 0; i < n; i++) {
            for (int j = i; j < n; j++) {
                double sum = matrix[i][j];
                for (int k = 0; k < i; k++) {
                    sum -= upper[k][i] * upper[k][j];
                }
                upper[i][j] = i == j ? Math.sqrt(sum) : sum / upper[i][i];
            }
        }
        return upper;
    }
}
