package io.any4.quant;

/// Lloyd's algorithm on sorted points: clusters are intervals, so an iteration moves the cuts between them to the
/// midpoints of neighbouring centroids and reads the new centroids off the prefix sums.
final class Lloyd {
    private Lloyd() {}

    /// Iterates until no cut moves, the squared moves of the centroids add up to no more than `tolerance`, or
    /// `maxIterations` are done. The error never rises. A cluster that loses all its points keeps its centroid.
    ///
    /// @param centroids `levels` ascending starting points; on return the result, ascending
    /// @param cuts working memory, `levels + 1`; any ascending cuts from 0 to the number of points
    static void refine(
            SortedPoints points, double[] centroids, int levels, int[] cuts, int maxIterations, double tolerance) {
        for (int iteration = 0; iteration < maxIterations; iteration++) {
            boolean moved = moveCuts(points, centroids, levels, cuts);
            if (!moved && iteration > 0) {
                return;
            }
            if (moveCentroids(points, centroids, levels, cuts) <= tolerance) {
                return;
            }
        }
    }

    private static boolean moveCuts(SortedPoints points, double[] centroids, int levels, int[] cuts) {
        double[] values = points.values();
        boolean moved = false;
        for (int k = 1; k < levels; k++) {
            double middle = 0.5 * (centroids[k - 1] + centroids[k]);
            int cut = Math.max(cuts[k], cuts[k - 1]);
            while (cut < points.size() && values[cut] <= middle) {
                cut++;
            }
            while (cut > cuts[k - 1] && values[cut - 1] > middle) {
                cut--;
            }
            moved |= cut != cuts[k];
            cuts[k] = cut;
        }
        return moved;
    }

    /// Returns the sum of the squared moves.
    private static double moveCentroids(SortedPoints points, double[] centroids, int levels, int[] cuts) {
        double squaredMoves = 0;
        for (int k = 0; k < levels; k++) {
            if (cuts[k] < cuts[k + 1]) {
                double centroid = points.centroid(cuts[k], cuts[k + 1]);
                double move = centroid - centroids[k];
                squaredMoves += move * move;
                centroids[k] = centroid;
            }
        }
        return squaredMoves;
    }
}
