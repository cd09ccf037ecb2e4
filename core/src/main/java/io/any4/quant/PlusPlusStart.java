package io.any4.quant;

import java.util.Arrays;

/// Starting points for Lloyd's algorithm by greedy k-means++ (Arthur and Vassilvitskii, 2007): each new centroid
/// is a point drawn with a chance proportional to its share of the error so far, the best of a few draws.
final class PlusPlusStart {
    private static final long GOLDEN_GAMMA = 0x9e3779b97f4a7c15L;

    private final SortedPoints points;
    private final double[] squaredDistances;
    private long randomState;

    /// @param points what is clustered; may be refilled between uses
    PlusPlusStart(SortedPoints points, int capacity) {
        this.points = points;
        squaredDistances = new double[capacity];
    }

    /// Writes `levels` ascending starting points to `centroids`; the points number at least `levels`.
    void choose(int levels, long seed, double[] centroids) {
        randomState = seed;
        int draws = 2 + (int) Math.log(levels);
        Arrays.fill(squaredDistances, 0, points.size(), Double.POSITIVE_INFINITY);
        centroids[0] = points.values()[drawByWeight()];
        approach(centroids[0]);
        for (int k = 1; k < levels; k++) {
            double error = errorWith(centroids[0]);
            double best = Double.POSITIVE_INFINITY;
            for (int draw = 0; draw < draws; draw++) {
                double candidate = points.values()[drawByError(error)];
                double candidateError = errorWith(candidate);
                if (candidateError < best) {
                    best = candidateError;
                    centroids[k] = candidate;
                }
            }
            approach(centroids[k]);
        }
        Arrays.sort(centroids, 0, levels);
    }

    private int drawByWeight() {
        double[] weightBefore = points.weightBefore();
        double target = uniform() * weightBefore[points.size()];
        int found = Arrays.binarySearch(weightBefore, 0, points.size(), target);
        return found >= 0 ? found : -found - 2;
    }

    private int drawByError(double error) {
        double target = uniform() * error;
        int last = points.size() - 1;
        for (int i = 0; i < last; i++) {
            target -= weight(i) * squaredDistances[i];
            if (target < 0) {
                return i;
            }
        }
        return last;
    }

    private double errorWith(double centroid) {
        double[] values = points.values();
        double error = 0;
        for (int i = 0; i < points.size(); i++) {
            double distance = values[i] - centroid;
            error += weight(i) * Math.min(squaredDistances[i], distance * distance);
        }
        return error;
    }

    private void approach(double centroid) {
        double[] values = points.values();
        for (int i = 0; i < points.size(); i++) {
            double distance = values[i] - centroid;
            squaredDistances[i] = Math.min(squaredDistances[i], distance * distance);
        }
    }

    private double weight(int i) {
        double[] weightBefore = points.weightBefore();
        return weightBefore[i + 1] - weightBefore[i];
    }

    /// The next number of a SplitMix64 sequence, in `[0, 1)`.
    private double uniform() {
        randomState += GOLDEN_GAMMA;
        long z = (randomState ^ (randomState >>> 30)) * 0xbf58476d1ce4e5b9L;
        z = (z ^ (z >>> 27)) * 0x94d049bb133111ebL;
        return ((z ^ (z >>> 31)) >>> 11) * 0x1.0p-53;
    }
}
