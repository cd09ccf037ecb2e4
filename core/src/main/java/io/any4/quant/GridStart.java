package io.any4.quant;

import java.util.SplittableRandom;

/// Starting points for Lloyd's algorithm that do not look at errors: see the kinds of [Clustering].
final class GridStart {
    private static final float[] NF4 = Grid.nf4().levels();

    private GridStart() {}

    /// Writes `levels` different values, ascending, drawn at random.
    static void random(SortedPoints points, int levels, long seed, double[] centroids) {
        SplittableRandom random = new SplittableRandom(seed);
        int taken = 0;
        for (int i = 0; i < points.size(); i++) { // each of those left with the same chance (Knuth's algorithm S)
            if (random.nextInt(points.size() - i) < levels - taken) {
                centroids[taken++] = points.values()[i];
            }
        }
    }

    /// Writes levels spaced evenly from the least value to the largest.
    static void even(SortedPoints points, int levels, double[] centroids) {
        for (int k = 0; k < levels; k++) {
            centroids[k] = at(points, (double) k / Math.max(1, levels - 1));
        }
    }

    /// Writes levels of nf4, from the least value to the largest; fewer than 16 are spread over them.
    static void normal(SortedPoints points, int levels, double[] centroids) {
        for (int k = 0; k < levels; k++) {
            float level = NF4[Math.round((NF4.length - 1f) * k / Math.max(1, levels - 1))];
            centroids[k] = at(points, 0.5 * (level + 1));
        }
    }

    private static double at(SortedPoints points, double share) {
        double least = points.values()[0];
        return least + share * (points.values()[points.size() - 1] - least);
    }
}
