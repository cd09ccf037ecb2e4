package io.any4.quant;

import java.util.Arrays;

/// One-dimensional weighted k-means: the numbers that represent a set of weighted values with the least sum of
/// weighted squared differences (arXiv 2507.04610, section 3.2). One instance serves one thread, set after set,
/// without allocating.
final class KMeans {
    private static final int BINS = 256;
    private static final int MAX_REFINEMENTS = 100;
    private static final int MAX_ITERATIONS = 300;
    private static final double LLOYD_TOLERANCE = 1e-4;

    private final Clustering clustering;
    private final SortedPoints points;
    private final IntervalPartition partition;
    private final PlusPlusStart plusPlus;
    private final Bins bins = new Bins(BINS);
    private final int[] cuts;
    private final double[] centroids;

    /// @param clustering how to solve
    /// @param capacity the most values of a set
    /// @param maxLevels the most centroids
    KMeans(Clustering clustering, int capacity, int maxLevels) {
        this.clustering = clustering;
        points = new SortedPoints(capacity);
        partition = new IntervalPartition(clustering == Clustering.EXACT ? capacity : BINS, maxLevels);
        plusPlus = new PlusPlusStart(points, clustering == Clustering.LLOYD ? capacity : 0);
        cuts = new int[maxLevels + 1];
        centroids = new double[maxLevels];
    }

    /// The values to cluster: to be loaded before, and left alone after, a call of [#cluster].
    SortedPoints points() {
        return points;
    }

    /// Writes `levels` ascending centroids of the loaded points. With no more distinct values than levels they
    /// are the values, the largest one repeated.
    ///
    /// @param seed decides the starts of [Clustering#LLOYD] and [Clustering#LLOYD_RANDOM]
    void cluster(int levels, long seed, float[] result) {
        if (points.size() <= levels) {
            takeValues(levels);
        } else {
            switch (clustering) {
                case EXACT -> exact(levels);
                case FAST -> fast(levels);
                case LLOYD, LLOYD_RANDOM, LLOYD_INT, LLOYD_NF -> lloyd(levels, seed);
            }
        }
        for (int k = 0; k < levels; k++) {
            result[k] = (float) centroids[k];
        }
    }

    private void takeValues(int levels) {
        int distinct = points.size();
        System.arraycopy(points.values(), 0, centroids, 0, distinct);
        Arrays.fill(centroids, distinct, levels, centroids[distinct - 1]);
    }

    private void exact(int levels) {
        partition.solve(points.weightBefore(), points.momentBefore(), points.size(), levels);
        partition.cuts(levels, cuts);
        takeCentroids(levels);
    }

    private void fast(int levels) {
        if (points.size() <= BINS) {
            exact(levels);
            return;
        }
        int count = bins.fill(points);
        partition.solve(bins.weightBefore(), bins.momentBefore(), count, levels);
        partition.cuts(levels, cuts);
        for (int k = 0; k <= levels; k++) {
            cuts[k] = bins.start(cuts[k]);
        }
        takeCentroids(levels);
        Lloyd.refine(points, centroids, levels, cuts, MAX_REFINEMENTS, 0);
    }

    private void lloyd(int levels, long seed) {
        switch (clustering) {
            case LLOYD_RANDOM -> GridStart.random(points, levels, seed, centroids);
            case LLOYD_INT -> GridStart.even(points, levels, centroids);
            case LLOYD_NF -> GridStart.normal(points, levels, centroids);
            default -> plusPlus.choose(levels, seed, centroids);
        }
        Arrays.fill(cuts, 0);
        cuts[levels] = points.size();
        Lloyd.refine(points, centroids, levels, cuts, MAX_ITERATIONS, LLOYD_TOLERANCE * points.variance());
    }

    private void takeCentroids(int levels) {
        for (int k = 0; k < levels; k++) {
            centroids[k] = points.centroid(cuts[k], cuts[k + 1]);
        }
    }
}
