package io.any4.quant;

/// Sorted points gathered into a few hundred bins, for a search that need not look at every point.
///
/// A bin's share of the points and its share of the range add up to the same for every bin: bins are narrow where
/// points are dense, and still not wide in the tails, where the outermost levels of a table lie.
final class Bins {
    private final int maxBins;
    private final int[] start;
    private final double[] weightBefore;
    private final double[] momentBefore;

    Bins(int maxBins) {
        this.maxBins = maxBins;
        start = new int[maxBins + 1];
        weightBefore = new double[maxBins + 1];
        momentBefore = new double[maxBins + 1];
    }

    /// Bins the points, two at least, and returns the number of bins, none of them empty.
    int fill(SortedPoints points) {
        double[] values = points.values();
        int size = points.size();
        double first = values[0];
        double perPoint = 0.5 * maxBins / size;
        double perUnit = 0.5 * maxBins / (values[size - 1] - first);
        int bins = 0;
        int last = -1;
        for (int i = 0; i < size; i++) {
            int bin = (int) Math.min(i * perPoint + (values[i] - first) * perUnit, maxBins - 1);
            if (bin != last) {
                open(bins++, i, points);
                last = bin;
            }
        }
        open(bins, size, points);
        return bins;
    }

    private void open(int bin, int point, SortedPoints points) {
        start[bin] = point;
        weightBefore[bin] = points.weightBefore()[point];
        momentBefore[bin] = points.momentBefore()[point];
    }

    /// The first point of a bin; for the number of bins, the number of points.
    int start(int bin) {
        return start[bin];
    }

    /// Sums of the weights before each bin.
    double[] weightBefore() {
        return weightBefore;
    }

    /// Sums of weight times value before each bin.
    double[] momentBefore() {
        return momentBefore;
    }
}
