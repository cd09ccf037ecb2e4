package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;

/// Learns one table for a whole matrix.
///
/// The scaled weights of all rows are gathered into 65536 equal bins over `[-1, 1]`, and the bins' centroids are
/// clustered: that only ties each cut between two clusters to the edge of a bin, far closer than a table entry is
/// stored.
final class MatrixTable {
    private static final int BINS = 1 << 16;

    /// Parts whose sums are added in order, so that the result does not depend on the number of threads.
    private static final int PARTS = 8;

    private final QuantizationSpec spec;
    private final Tensor weights;
    private final float[] factors;
    private final double[][] weightSums = new double[PARTS][BINS];
    private final double[][] momentSums = new double[PARTS][BINS];

    MatrixTable(QuantizationSpec spec, Tensor weights, float[] factors) {
        this.spec = spec;
        this.weights = weights;
        this.factors = factors;
    }

    float[] learn(Team team) {
        team.run(PARTS, 1, (from, to) -> {
            for (int part = from; part < to; part++) {
                gather(part);
            }
        });
        int levels = spec.method().levels();
        KMeans kmeans = new KMeans(spec.kmeans(), BINS, levels);
        addBins(kmeans.points());
        float[] table = new float[levels];
        kmeans.cluster(levels, spec.seed(), table);
        return table;
    }

    private void gather(int part) {
        int columns = factors.length;
        float[] row = new float[columns];
        ScaledRow scaled = new ScaledRow(spec, columns);
        int groupSize = spec.groupSize(columns);
        int last = (int) (weights.rows() * (part + 1) / PARTS);
        for (int i = (int) (weights.rows() * part / PARTS); i < last; i++) {
            weights.copyRow(i, row, 0);
            RowLoop.requireFinite(row, i);
            scaled.scale(row, i);
            add(part, scaled, groupSize);
        }
    }

    private void add(int part, ScaledRow row, int groupSize) {
        double[] weightSum = weightSums[part];
        double[] momentSum = momentSums[part];
        float[] values = row.values();
        for (int group = 0; group < row.scales().length; group++) {
            double common = scalePower(row.scales()[group]);
            int to = (int) Math.min(values.length, (group + 1L) * groupSize);
            for (int j = group * groupSize; j < to; j++) {
                int bin = Math.clamp((int) ((values[j] + 1f) * (BINS / 2)), 0, BINS - 1);
                double weight = factors[j] * common;
                weightSum[bin] += weight;
                momentSum[bin] += weight * values[j];
            }
        }
    }

    private double scalePower(double scale) {
        return scale == 0 ? 0 : Math.pow(scale, spec.weighting().scalePower());
    }

    private void addBins(SortedPoints points) {
        points.clear();
        for (int bin = 0; bin < BINS; bin++) {
            double weight = 0;
            double moment = 0;
            for (int part = 0; part < PARTS; part++) {
                weight += weightSums[part][bin];
                moment += momentSums[part][bin];
            }
            if (weight > 0) {
                points.add(moment / weight, weight);
            }
        }
        if (points.size() == 0) {
            points.add(0, 1); // every group is constant, or nothing counts
        }
    }
}
