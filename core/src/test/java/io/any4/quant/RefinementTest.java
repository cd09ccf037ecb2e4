package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.Arrays;
import java.util.Objects;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Refinement on the full Hessian: that it improves outputs, never makes the error rise, and does what a plain
/// implementation does.
final class RefinementTest {
    private static final Team TEAM = new Team(2);
    private static final double DAMPING = 0.01;
    private static final int K = LayerProblem.COLUMNS;

    @AfterAll
    static void close() {
        TEAM.close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"any4", "any3", "any2", "any4s", "any3s", "any2s", "any4,symmetric=true", "int4", "nf4", "mx4"})
    void outputsAreBetterThanByRoundingToNearest(String spec) {
        LayerProblem problem = new LayerProblem(1);
        Weight nearest = problem.quantize(spec);
        Weight refined = refine(problem, nearest, 3).weight();
        assertThat(problem.outputError(refined)).isLessThan(0.8 * problem.outputError(nearest));
        assertThat(refined.bytes()).isEqualTo(nearest.bytes());
    }

    @ParameterizedTest
    @CsvSource({"any4,1", "any4s,1", "any3,0.95", "any3s,1", "any2,0.95", "any2s,0.97"})
    void outputsAreBetterThanByFeedbackAlone(String spec, double factor) {
        double fed = 0;
        double refined = 0;
        for (long seed = 1; seed <= 3; seed++) {
            LayerProblem problem = new LayerProblem(seed);
            Weight start = fed(problem, spec);
            fed += problem.outputError(start);
            refined += problem.outputError(refine(problem, start, 3).weight());
        }
        assertThat(refined).isLessThan(factor * fed);
    }

    @ParameterizedTest
    @ValueSource(strings = {"any4", "any2", "any4s", "any4s,table=matrix,group-size=7", "any3,table=matrix", "int3"})
    void theErrorNeverRisesInAnyRow(String spec) {
        for (long seed = 1; seed <= 2; seed++) {
            LayerProblem problem = new LayerProblem(seed);
            Weight weight = seed == 2 ? fed(problem, spec) : problem.quantize(spec);
            double[] before = errors(problem, weight);
            for (int round = 0; round < 3; round++) {
                weight = refine(problem, weight, 1).weight();
                double[] after = errors(problem, weight);
                for (int row = 0; row < LayerProblem.ROWS; row++) {
                    assertThat(after[row])
                            .as("%s, seed %d, round %d, row %d", spec, seed, round, row)
                            .isLessThanOrEqualTo(before[row] * (1 + 1e-5));
                }
                before = after;
            }
        }
    }

    @Test
    void theReportedErrorsAreThoseOfTheDampedHessian() {
        LayerProblem problem = new LayerProblem(4);
        Weight start = problem.quantize("any4s");
        Refinement.Result result = refine(problem, start, 2);
        assertThat(result.errors()).hasSize(3);
        double first = Arrays.stream(errors(problem, start)).sum();
        double last = Arrays.stream(errors(problem, result.weight())).sum();
        assertThat(result.errors().getFirst()).isCloseTo(first, within(1e-3 * first));
        assertThat(result.errors().getLast()).isCloseTo(last, within(1e-3 * last));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "any4,metadata=f32",
                "any4s,metadata=f32",
                "any4s,table=matrix,group-size=5",
                "any3,metadata=f32",
                "any3s,metadata=f32,group-size=row",
                "int4"
            })
    void resultsAreThoseOfAPlainImplementation(String spec) {
        LayerProblem problem = new LayerProblem(5);
        LutWeight start = (LutWeight) problem.quantize(spec);
        double ours = refine(problem, start, 1).errors().getLast();
        double plain = 0;
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            plain += new PlainRefinement(start, row, problem.weights(), damped(problem)).round(2);
        }
        assertThat(ours).isCloseTo(plain, within(5e-3 * plain));
    }

    @Test
    void theRoundThatRaisesTheHeldOutErrorIsUndone() {
        LayerProblem problem = new LayerProblem(6);
        double[][] uncorrelated = new double[K][K];
        for (int j = 0; j < K; j++) {
            uncorrelated[j][j] = problem.hessian()[j][j];
        }
        // rounding to nearest is best for channels that are not correlated
        Weight start = problem.quantize("any4s");
        Refinement refinement =
                Refinement.prepare(GptqTest.hessian(problem.hessian()), GptqTest.hessian(uncorrelated), DAMPING);
        Refinement.Result result =
                refinement.refine(problem.tensor(), start, 5, TEAM, RowListener.NONE, Arena.ofAuto());
        assertThat(result.weight()).isSameAs(start);
        assertThat(result.errors()).hasSize(1);
        assertThat(result.heldOutErrors()).hasSize(1);
    }

    @Test
    void roundsGoOnWhileTheHeldOutErrorFalls() {
        LayerProblem problem = new LayerProblem(7);
        Hessian hessian = GptqTest.hessian(problem.hessian());
        Refinement refinement = Refinement.prepare(hessian, hessian, DAMPING);
        Refinement.Result result = refinement.refine(
                problem.tensor(), problem.quantize("any4"), 4, TEAM, RowListener.NONE, Arena.ofAuto());
        assertThat(result.heldOutErrors()).hasSizeGreaterThan(2);
        for (int i = 1; i < result.heldOutErrors().size(); i++) {
            assertThat(result.heldOutErrors().get(i))
                    .isLessThan(result.heldOutErrors().get(i - 1));
        }
    }

    @Test
    void resultsDoNotDependOnThreads() {
        LayerProblem problem = new LayerProblem(8);
        Weight start = problem.quantize("any4");
        float[] two = IntGoldenTest.values(refine(problem, start, 2).weight());
        try (Team one = new Team(1)) {
            Refinement refinement = Refinement.prepare(GptqTest.hessian(problem.hessian()), null, DAMPING);
            Weight alone = refinement
                    .refine(problem.tensor(), start, 2, one, RowListener.NONE, Arena.ofAuto())
                    .weight();
            assertThat(IntGoldenTest.values(alone)).isEqualTo(two);
        }
    }

    @Test
    void eightBitsAreLeftAsTheyAre() {
        LayerProblem problem = new LayerProblem(9);
        Weight start = problem.quantize("int8");
        assertThat(refine(problem, start, 2).weight()).isSameAs(start);
    }

    private static Weight fed(LayerProblem problem, String spec) {
        return Gptq.prepare(GptqTest.hessian(problem.hessian()), Gptq.Settings.USUAL, TEAM)
                .requantize(problem.tensor(), problem.quantize(spec), TEAM, RowListener.NONE, Arena.ofAuto())
                .weight();
    }

    private static Refinement.Result refine(LayerProblem problem, Weight start, int rounds) {
        return Refinement.prepare(GptqTest.hessian(problem.hessian()), null, DAMPING)
                .refine(problem.tensor(), start, rounds, TEAM, RowListener.NONE, Arena.ofAuto());
    }

    private static double[][] damped(LayerProblem problem) {
        double[][] h = problem.hessian();
        double mean = 0;
        for (int j = 0; j < K; j++) {
            mean += h[j][j] / K;
        }
        for (int j = 0; j < K; j++) {
            h[j][j] += DAMPING * mean;
        }
        return h;
    }

    private static double[] errors(LayerProblem problem, Weight weight) {
        double[][] h = damped(problem);
        float[] stored = IntGoldenTest.values(weight);
        double[] errors = new double[LayerProblem.ROWS];
        for (int row = 0; row < errors.length; row++) {
            double[] off = new double[K];
            for (int j = 0; j < K; j++) {
                off[j] = stored[row * K + j] - (double) problem.weights()[row * K + j];
            }
            errors[row] = PlainRefinement.error(h, off);
        }
        return errors;
    }

    /// One row in double arithmetic, every sum over all columns, nothing kept up to date.
    private static final class PlainRefinement {
        private final double[][] h;
        private final double[] w = new double[K];
        private final int[] code = new int[K];
        private final double[] table;
        private final double[] scale;
        private final double[] zero;
        private final int groupSize;
        private final boolean learned;
        private final boolean wholeScales;
        private final boolean hasZero;

        PlainRefinement(LutWeight start, int row, float[] weights, double[][] h) {
            this.h = h;
            groupSize = start.groupSize();
            learned = start.lut().rows() == start.rows();
            wholeScales = start.scale().dtype() == DType.I8;
            hasZero = start.zero() != null;
            table = new double[start.levels()];
            Arrays.setAll(table, k -> start.lut().getFloat(learned ? (long) row * table.length + k : k));
            scale = new double[start.groups()];
            Arrays.setAll(scale, g -> start.scale().getFloat((long) row * scale.length + g));
            zero = new double[start.groups()];
            if (hasZero) {
                Arrays.setAll(zero, g -> Objects.requireNonNull(start.zero()).getFloat((long) row * zero.length + g));
            }
            byte[] codes = new byte[K];
            BitPacking.unpackRow(start.codes(), row, start.bits(), codes);
            for (int j = 0; j < K; j++) {
                code[j] = codes[j];
                w[j] = weights[row * K + j];
            }
        }

        double round(int sweeps) {
            if (learned) {
                fitTable();
            }
            if (wholeScales && groupSize <= 128) {
                for (int group = 0; group < scale.length; group++) {
                    chooseGroup(group);
                }
            } else if (learned) {
                for (int group = 0; group < scale.length; group++) {
                    fitGroup(group);
                }
            }
            for (int sweep = 0; sweep < sweeps; sweep++) {
                for (int j = 0; j < K; j++) {
                    chooseCode(j);
                }
            }
            return error(h, off());
        }

        private double[] off() {
            double[] off = new double[K];
            Arrays.setAll(off, j -> table[code[j]] * scale[j / groupSize] + zero[j / groupSize] - w[j]);
            return off;
        }

        static double error(double[][] h, double[] off) {
            double error = 0;
            for (int i = 0; i < K; i++) {
                for (int j = 0; j < K; j++) {
                    error += off[i] * h[i][j] * off[j];
                }
            }
            return error;
        }

        /// Least squares over directions in weight space: row `k` of `directions` is what a step of unknown `k` does.
        private double[] leastSquares(double[][] directions) {
            double[] off = off();
            int n = directions.length;
            double[][] a = new double[n][n + 1];
            for (int k = 0; k < n; k++) {
                for (int i = 0; i < K; i++) {
                    if (directions[k][i] == 0) {
                        continue;
                    }
                    for (int j = 0; j < K; j++) {
                        a[k][n] -= directions[k][i] * h[i][j] * off[j];
                        for (int m = 0; m < n; m++) {
                            a[k][m] += directions[k][i] * h[i][j] * directions[m][j];
                        }
                    }
                }
            }
            for (int k = 0; k < n; k++) {
                a[k][k] = a[k][k] == 0 ? 1 : a[k][k];
            }
            return eliminate(a);
        }

        private static double[] eliminate(double[][] a) {
            int n = a.length;
            for (int k = 0; k < n; k++) {
                for (int i = 0; i < n; i++) {
                    double factor = i == k ? 0 : a[i][k] / a[k][k];
                    for (int j = k; factor != 0 && j <= n; j++) {
                        a[i][j] -= factor * a[k][j];
                    }
                }
            }
            double[] x = new double[n];
            Arrays.setAll(x, k -> a[k][n] / a[k][k]);
            return x;
        }

        private void fitTable() {
            double[][] directions = new double[table.length][K];
            for (int j = 0; j < K; j++) {
                directions[code[j]][j] = scale[j / groupSize];
            }
            double[] change = leastSquares(directions);
            Arrays.setAll(table, k -> table[k] + change[k]);
        }

        private void fitGroup(int group) {
            double[][] directions = new double[hasZero ? 2 : 1][K];
            for (int j = group * groupSize; j < Math.min(K, (group + 1) * groupSize); j++) {
                directions[0][j] = table[code[j]];
                if (hasZero) {
                    directions[1][j] = 1;
                }
            }
            double[] change = leastSquares(directions);
            double before = error(h, off());
            double old = scale[group];
            double changed = scale[group] + change[0];
            scale[group] = wholeScales ? Math.rint(Math.clamp(changed, -127, 127)) : changed;
            zero[group] += hasZero ? change[1] : 0;
            if (wholeScales && error(h, off()) >= before) {
                scale[group] = old;
            }
        }

        /// The best scale and codes of a group: of the numbers that would be best, one is rounded after the other, and
        /// those after it follow by least squares.
        private void chooseGroup(int group) {
            int from = group * groupSize;
            int size = Math.min(K, from + groupSize) - from;
            double[][] part = new double[size][size];
            double[] gradient = new double[size];
            double[] off = off();
            for (int c = 0; c < size; c++) {
                for (int k = 0; k < K; k++) {
                    gradient[c] += h[from + c][k] * off[k];
                }
                System.arraycopy(h[from + c], from, part[c], 0, size);
            }
            double[][] inverse = GptqTest.inverse(part);
            double[][] upper = GptqTest.upperCholesky(inverse);
            double[] target = new double[size];
            for (int c = 0; c < size; c++) {
                target[c] = w[from + c] + off[from + c];
                for (int k = 0; k < size; k++) {
                    target[c] -= inverse[c][k] * gradient[k];
                }
            }
            double before = error(h, off);
            double oldScale = scale[group];
            int[] oldCodes = code.clone();
            double least = Double.POSITIVE_INFINITY;
            double bestScale = oldScale;
            int[] bestCodes = oldCodes;
            for (int tried = -127; tried <= 127; tried++) {
                double error = roundGroup(from, tried, target.clone(), upper);
                if (error < least) {
                    least = error;
                    bestScale = tried;
                    bestCodes = code.clone();
                }
            }
            scale[group] = bestScale;
            System.arraycopy(bestCodes, 0, code, 0, K);
            if (error(h, off()) >= before) {
                scale[group] = oldScale;
                System.arraycopy(oldCodes, 0, code, 0, K);
            }
        }

        private double roundGroup(int from, int tried, double[] target, double[][] upper) {
            double sum = 0;
            for (int c = 0; c < target.length; c++) {
                int best = 0;
                for (int k = 1; k < table.length; k++) {
                    boolean nearer = Math.abs(table[k] * tried - target[c]) < Math.abs(table[best] * tried - target[c]);
                    best = nearer ? k : best;
                }
                code[from + c] = best;
                double error = (target[c] - table[best] * tried) / upper[c][c];
                sum += error * error;
                for (int k = c + 1; k < target.length; k++) {
                    target[k] -= error * upper[c][k];
                }
            }
            return sum;
        }

        private void chooseCode(int column) {
            double[] off = off();
            double gradient = 0;
            for (int k = 0; k < K; k++) {
                gradient += h[column][k] * off[k];
            }
            double least = 0;
            int best = code[column];
            for (int candidate = 0; candidate < table.length; candidate++) {
                int group = column / groupSize;
                double step = table[candidate] * scale[group] + zero[group] - w[column] - off[column];
                double change = step * (2 * gradient + h[column][column] * step);
                if (change < least) {
                    least = change;
                    best = candidate;
                }
            }
            code[column] = best;
        }
    }
}
