package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The best scale of a group, held to a search in double arithmetic through every scale and every level.
final class ScaleSearchTest {
    @ParameterizedTest
    @CsvSource({"16, 1", "16, 2", "16, 7", "16, 32", "8, 5", "8, 16", "4, 3", "4, 33"})
    void theBestOfAllScalesIsFound(int levels, int size) {
        Random random = new Random(levels * 100L + size);
        for (int trial = 0; trial < 20; trial++) {
            for (boolean coupled : new boolean[] {false, true}) {
                Problem problem = new Problem(random, levels, size, coupled);
                ScaleSearch search = problem.search();
                float scale = search.best(size, 0f);
                double error = search.round(size, scale);
                double best = Double.POSITIVE_INFINITY;
                for (int tried = -127; tried <= 127; tried++) {
                    best = Math.min(best, problem.error(tried));
                }
                assertThat(error).as("coupled %s", coupled).isCloseTo(best, within(1e-3 * best + 1e-9));
                assertThat(problem.error(scale)).isCloseTo(best, within(1e-3 * best + 1e-9));
            }
        }
    }

    @Test
    void codesAndValuesBelongTogether() {
        Problem problem = new Problem(new Random(3), 16, 9, true);
        ScaleSearch search = problem.search();
        float scale = search.best(9, 5f);
        search.round(9, scale);
        for (int c = 0; c < 9; c++) {
            assertThat(search.values()[c]).isEqualTo(problem.table[search.codes()[c]] * scale);
        }
    }

    @Test
    void thePresentScaleStaysIfNoneIsBetter() {
        ScaleSearch search = new ScaleSearch(4, 2);
        search.use(new float[] {-1f, 0f, 1f, 2f});
        Arrays.fill(search.costs(), 1f);
        search.targets()[0] = 0f;
        search.targets()[1] = 0f;
        assertThat(search.best(2, -44f)).isEqualTo(-44f);
        search.targets()[1] = 40f;
        assertThat(search.best(2, -40f)).isEqualTo(-40f);
    }

    private static final class Problem {
        private final int size;
        private final boolean coupled;
        private final float[] table;
        private final float[] targets;
        private final float[] costs;
        private final float[][] feedback;

        Problem(Random random, int levels, int size, boolean coupled) {
            this.size = size;
            this.coupled = coupled;
            table = new float[levels];
            for (int k = 0; k < levels; k++) {
                table[k] = (float) random.nextGaussian() / 100;
            }
            Arrays.sort(table);
            targets = new float[size];
            costs = new float[size];
            feedback = new float[size][size];
            for (int c = 0; c < size; c++) {
                targets[c] = (float) random.nextGaussian();
                costs[c] = random.nextFloat() + 0.1f;
                for (int k = 0; k < c; k++) {
                    feedback[c][k] = (float) random.nextGaussian() / size;
                }
            }
        }

        ScaleSearch search() {
            ScaleSearch search = new ScaleSearch(table.length, size);
            search.use(table);
            System.arraycopy(targets, 0, search.targets(), 0, size);
            System.arraycopy(costs, 0, search.costs(), 0, size);
            if (coupled) {
                search.couple(feedback, 0, size);
            }
            return search;
        }

        double error(double scale) {
            double[] stored = new double[size];
            double error = 0;
            for (int c = 0; c < size; c++) {
                double target = targets[c];
                for (int k = 0; coupled && k < c; k++) {
                    target -= feedback[c][k] * stored[k];
                }
                for (int k = 0; k < table.length; k++) {
                    double value = table[k] * scale;
                    stored[c] = k == 0 || Math.abs(value - target) < Math.abs(stored[c] - target) ? value : stored[c];
                }
                error += costs[c] * (target - stored[c]) * (target - stored[c]);
            }
            return error;
        }
    }
}
