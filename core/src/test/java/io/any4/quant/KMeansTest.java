package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/// Clustering against an exhaustive search, and the three ways of it against each other.
final class KMeansTest {
    @Property(tries = 500)
    void exactIsTheBestOfAllPartitions(
            @ForAll("points") float[][] points, @ForAll @IntRange(min = 2, max = 4) int bits) {
        int levels = Math.min(1 << bits, 5);
        double best = exhaustive(points, levels);
        assertThat(error(points, Clustering.EXACT, levels)).isCloseTo(best, within(1e-9 + 1e-6 * best));
    }

    @Property(tries = 200)
    void noOtherWayBeatsExact(@ForAll("points") float[][] points, @ForAll @IntRange(min = 1, max = 16) int levels) {
        double exact = error(points, Clustering.EXACT, levels);
        for (Clustering clustering : Clustering.values()) {
            assertThat(error(points, clustering, levels)).isGreaterThanOrEqualTo(exact * (1 - 1e-6) - 1e-9);
        }
    }

    @Property(tries = 100)
    void tablesAreAscendingAndWithinTheValues(@ForAll("points") float[][] points, @ForAll Clustering clustering) {
        float[] table = table(points, clustering, 8);
        for (int k = 1; k < 8; k++) {
            assertThat(table[k]).isGreaterThanOrEqualTo(table[k - 1]);
        }
        float[] values = points[0].clone();
        Arrays.sort(values);
        assertThat(table[0]).isGreaterThanOrEqualTo(values[0]);
        assertThat(table[7]).isLessThanOrEqualTo(values[values.length - 1]);
    }

    /// Up to ten values on a coarse lattice, so that equal ones are common; weights from 0 up.
    @Provide
    Arbitrary<float[][]> points() {
        Arbitrary<Float> values = Arbitraries.integers().between(-20, 20).map(v -> v / 16f);
        Arbitrary<Float> weights = Arbitraries.integers().between(0, 9).map(w -> w / 4f);
        return Arbitraries.integers()
                .between(1, 10)
                .flatMap(n -> values.array(float[].class)
                        .ofSize(n)
                        .flatMap(v -> weights.array(float[].class).ofSize(n).map(w -> new float[][] {v, w})));
    }

    @Example
    void fastIsWithinAThousandthOfExactOnLongRows() {
        for (int seed = 0; seed < 6; seed++) {
            for (int levels : new int[] {4, 8, 16}) {
                float[][] points = row(4096, seed);
                double exact = error(points, Clustering.EXACT, levels);
                assertThat(error(points, Clustering.FAST, levels))
                        .as("seed %d", seed)
                        .isBetween(exact * (1 - 1e-6), exact * 1.001);
            }
        }
    }

    @Example
    void exactEqualsThePlainRecursionOnARow() {
        float[][] points = row(400, 3);
        double expected = recursion(points, 16);
        assertThat(error(points, Clustering.EXACT, 16)).isCloseTo(expected, within(1e-6 * expected));
    }

    @Example
    void oneSolutionHoldsThoseForFewerLevels() {
        SortedPoints points = new SortedPoints(1000);
        float[][] row = row(1000, 9);
        points.load(row[0], row[1], 1000);
        IntervalPartition partition = new IntervalPartition(1000, 16);
        partition.solve(points.weightBefore(), points.momentBefore(), points.size(), 16);
        for (int levels : new int[] {16, 8, 4}) {
            int[] cuts = new int[levels + 1];
            partition.cuts(levels, cuts);
            float[] table = table(row, Clustering.EXACT, levels);
            for (int k = 0; k < levels; k++) {
                assertThat((float) points.centroid(cuts[k], cuts[k + 1])).isEqualTo(table[k]);
            }
        }
    }

    @Example
    void fewerDistinctValuesThanLevelsAreTheTable() {
        float[][] points = {{2f, -1f, 2f, 0.5f, -1f}, {1f, 1f, 1f, 1f, 1f}};
        for (Clustering clustering : Clustering.values()) {
            assertThat(table(points, clustering, 4)).containsExactly(-1f, 0.5f, 2f, 2f);
        }
    }

    @Example
    void valuesOfWeightZeroCountOnlyIfAllDo() {
        float[][] some = {{1f, 2f, 3f, 9f}, {1f, 1f, 1f, 0f}};
        assertThat(table(some, Clustering.EXACT, 4)).containsExactly(1f, 2f, 3f, 3f);
        float[][] all = {{1f, 2f, 3f, 9f}, {0f, 0f, 0f, 0f}};
        assertThat(table(all, Clustering.EXACT, 4)).containsExactly(1f, 2f, 3f, 9f);
    }

    @Example
    void lloydIsDeterminedByItsSeed() {
        float[][] points = row(500, 1);
        KMeans kmeans = new KMeans(Clustering.LLOYD, 500, 16);
        float[] first = new float[16];
        float[] again = new float[16];
        float[] other = new float[16];
        kmeans.points().load(points[0], points[1], 500);
        kmeans.cluster(16, 5, first);
        kmeans.cluster(16, 6, other);
        kmeans.cluster(16, 5, again);
        assertThat(again).isEqualTo(first);
        assertThat(other).isNotEqualTo(first);
    }

    @Example
    void everyStartLeadsNearTheOptimumAndToAnotherTable() {
        float[][] points = row(2000, 3);
        double exact = error(points, Clustering.EXACT, 16);
        List<float[]> tables = new ArrayList<>();
        for (Clustering start :
                List.of(Clustering.LLOYD, Clustering.LLOYD_RANDOM, Clustering.LLOYD_INT, Clustering.LLOYD_NF)) {
            assertThat(error(points, start, 16)).as(start.id()).isLessThan(2 * exact);
            float[] table = table(points, start, 16);
            assertThat(tables).noneMatch(other -> Arrays.equals(other, table));
            tables.add(table);
        }
    }

    private static float[][] row(int count, long seed) {
        Random random = new Random(seed);
        float[][] points = new float[2][count];
        for (int i = 0; i < count; i++) {
            points[0][i] = (float) Math.clamp(random.nextGaussian() / 3, -1, 1);
            points[1][i] = (float) Math.exp(random.nextGaussian());
        }
        return points;
    }

    private static float[] table(float[][] points, Clustering clustering, int levels) {
        int count = points[0].length;
        KMeans kmeans = new KMeans(clustering, count, levels);
        kmeans.points().load(points[0], points[1], count);
        float[] table = new float[levels];
        kmeans.cluster(levels, 17, table);
        return table;
    }

    private static double error(float[][] points, Clustering clustering, int levels) {
        float[] table = table(points, clustering, levels);
        double[] weights = effectiveWeights(points[1]);
        double error = 0;
        for (int i = 0; i < weights.length; i++) {
            double least = Double.POSITIVE_INFINITY;
            for (float level : table) {
                least = Math.min(least, Math.abs((double) level - points[0][i]));
            }
            error += weights[i] * least * least;
        }
        return error;
    }

    private static double[] effectiveWeights(float[] weights) {
        double[] effective = new double[weights.length];
        boolean none = true;
        for (int i = 0; i < weights.length; i++) {
            effective[i] = weights[i];
            none &= weights[i] == 0;
        }
        if (none) {
            Arrays.fill(effective, 1);
        }
        return effective;
    }

    /// The least error of any way to cut the sorted values into at most `levels` intervals.
    private static double exhaustive(float[][] points, int levels) {
        double[][] sorted = sorted(points);
        return best(sorted[0], sorted[1], 0, levels);
    }

    private static double best(double[] values, double[] weights, int from, int levels) {
        if (from == values.length) {
            return 0;
        }
        if (levels == 0) {
            return Double.POSITIVE_INFINITY;
        }
        double least = Double.POSITIVE_INFINITY;
        for (int to = from + 1; to <= values.length; to++) {
            least = Math.min(least, cost(values, weights, from, to) + best(values, weights, to, levels - 1));
        }
        return least;
    }

    /// The textbook dynamic programme, every cut tried for every prefix.
    private static double recursion(float[][] points, int levels) {
        double[][] sorted = sorted(points);
        int n = sorted[0].length;
        double[][] cost = new double[n + 1][n + 1];
        for (int a = 0; a < n; a++) {
            for (int b = a + 1; b <= n; b++) {
                cost[a][b] = cost(sorted[0], sorted[1], a, b);
            }
        }
        double[] least = new double[n + 1];
        Arrays.fill(least, 1, n + 1, Double.POSITIVE_INFINITY);
        for (int k = 0; k < levels; k++) {
            double[] next = new double[n + 1];
            for (int b = 1; b <= n; b++) {
                next[b] = Double.POSITIVE_INFINITY;
                for (int a = 0; a < b; a++) {
                    next[b] = Math.min(next[b], least[a] + cost[a][b]);
                }
            }
            least = next;
        }
        return least[n];
    }

    private static double cost(double[] values, double[] weights, int from, int to) {
        double weight = 0;
        double moment = 0;
        for (int i = from; i < to; i++) {
            weight += weights[i];
            moment += weights[i] * values[i];
        }
        double mean = weight == 0 ? 0 : moment / weight;
        double cost = 0;
        for (int i = from; i < to; i++) {
            cost += weights[i] * (values[i] - mean) * (values[i] - mean);
        }
        return cost;
    }

    private static double[][] sorted(float[][] points) {
        double[] weights = effectiveWeights(points[1]);
        Integer[] order = new Integer[weights.length];
        Arrays.setAll(order, i -> i);
        Arrays.sort(order, (a, b) -> Float.compare(points[0][a], points[0][b]));
        double[][] sorted = new double[2][weights.length];
        for (int i = 0; i < weights.length; i++) {
            sorted[0][i] = points[0][order[i]];
            sorted[1][i] = weights[order[i]];
        }
        return sorted;
    }
}
