package io.any4.quant;

/// Cuts a sorted sequence of weighted points into intervals so that the sum of squared distances to the
/// intervals' centroids is least.
///
/// That sum is a constant less the sum of `moment^2 / weight` over the intervals, so the latter is maximised:
/// `best_k(b) = max over a < b of best_(k-1)(a) + (moment(b) - moment(a))^2 / (weight(b) - weight(a))`. The best
/// `a` never falls as `b` grows, so each layer is solved by divide and conquer; nor does it fall as `k` grows,
/// which narrows the search further (Gronlund et al., arXiv 1701.07204). Solving for `k` intervals solves for
/// fewer on the way.
final class IntervalPartition {
    private final int[][] lastCut;
    private double[] previous;
    private double[] current;
    private double[] weightBefore = {};
    private double[] momentBefore = {};
    private int points;

    /// @param maxPoints the longest sequence
    /// @param maxIntervals the most intervals
    IntervalPartition(int maxPoints, int maxIntervals) {
        lastCut = new int[maxIntervals + 1][maxPoints + 1];
        previous = new double[maxPoints + 1];
        current = new double[maxPoints + 1];
    }

    /// Finds the best partitions of `points` points into 1 to `intervals <= points` intervals.
    ///
    /// @param weightBefore `points + 1` sums of the weights before each point, strictly ascending
    /// @param momentBefore `points + 1` sums of weight times value before each point
    void solve(double[] weightBefore, double[] momentBefore, int points, int intervals) {
        this.weightBefore = weightBefore;
        this.momentBefore = momentBefore;
        this.points = points;
        for (int b = 1; b <= points; b++) {
            double moment = momentBefore[b] - momentBefore[0];
            current[b] = moment * moment / (weightBefore[b] - weightBefore[0]);
            lastCut[1][b] = 0;
        }
        for (int k = 2; k <= intervals; k++) {
            double[] solved = current;
            current = previous;
            previous = solved;
            // Nothing but the whole sequence is asked of the last layer.
            layer(k, k == intervals ? points : k, points, k - 1, points - 1);
        }
    }

    /// Writes the best partition into `intervals` intervals: interval `k` is points `cuts[k]` to `cuts[k + 1]`.
    void cuts(int intervals, int[] cuts) {
        cuts[intervals] = points;
        for (int k = intervals; k > 0; k--) {
            cuts[k - 1] = lastCut[k][cuts[k]];
        }
    }

    /// Solves layer `k` for sequences of `first` to `last` points, the last cut lying in `[low, high]`.
    private void layer(int k, int first, int last, int low, int high) {
        if (first > last) {
            return;
        }
        int middle = (first + last) >>> 1;
        int cut = bestCut(middle, Math.max(low, k == 2 ? 1 : lastCut[k - 1][middle]), Math.min(high, middle - 1));
        lastCut[k][middle] = cut;
        layer(k, first, middle - 1, low, cut);
        layer(k, middle + 1, last, cut, high);
    }

    private int bestCut(int b, int from, int to) {
        double[] weights = weightBefore;
        double[] moments = momentBefore;
        double[] before = previous;
        double weight = weights[b];
        double moment = moments[b];
        double best = Double.NEGATIVE_INFINITY;
        int cut = from;
        for (int a = from; a <= to; a++) {
            double difference = moment - moments[a];
            double value = before[a] + difference * difference / (weight - weights[a]);
            if (value > best) {
                best = value;
                cut = a;
            }
        }
        current[b] = best;
        return cut;
    }
}
