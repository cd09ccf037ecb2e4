package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;

/// What differences between a weight and what is stored for it do to the output of the layer.
final class OutputErrors {
    private OutputErrors() {}

    /// `d H d^T` for each row `d`: the mean over tokens of the squared error of that output feature.
    ///
    /// @param differences F32 `[rows, channels]`
    static double[] of(Tensor differences, Hessian hessian, Team team) {
        int rows = Math.toIntExact(differences.rows());
        double[] errors = new double[rows];
        team.run(rows, ColumnSums.ROWS, (from, to) -> {
            Batch batch = new Batch(differences, hessian);
            for (int row = from; row < to; row += ColumnSums.ROWS) {
                batch.measure(row, Math.min(to, row + ColumnSums.ROWS), errors);
            }
        });
        return errors;
    }

    /// The same if channels are uncorrelated: `sum of E[x_j^2] d_j^2`.
    static double[] of(Tensor differences, double[] secondMoments) {
        int rows = Math.toIntExact(differences.rows());
        double[] errors = new double[rows];
        float[] row = new float[secondMoments.length];
        for (int i = 0; i < rows; i++) {
            differences.copyRow(i, row, 0);
            for (int j = 0; j < row.length; j++) {
                errors[i] += secondMoments[j] * row[j] * row[j];
            }
        }
        return errors;
    }

    /// A few rows at a time, on one thread.
    private static final class Batch {
        private final Tensor differences;
        private final Hessian hessian;
        private final int channels;
        private final float[] row;
        private final float[] columns;
        private final float[][] triangle;
        private final float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];

        Batch(Tensor differences, Hessian hessian) {
            this.differences = differences;
            this.hessian = hessian;
            channels = hessian.channels();
            row = new float[channels];
            columns = new float[channels * ColumnSums.ROWS];
            triangle = new float[ColumnSums.COLUMNS][channels];
        }

        void measure(int from, int to, double[] errors) {
            for (int i = from; i < to; i++) {
                differences.copyRow(i, row, 0);
                for (int j = 0; j < channels; j++) {
                    columns[j * ColumnSums.ROWS + i - from] = row[j];
                }
            }
            for (int j = 0; j < channels; j += ColumnSums.COLUMNS) {
                int count = Math.min(ColumnSums.COLUMNS, channels - j);
                for (int c = 0; c < count; c++) {
                    hessian.moments().copyTo((long) (j + c) * channels, triangle[c], 0, j + c + 1);
                }
                ColumnSums.of(triangle, 0, columns, j, sums, count);
                for (int c = 0; c < count; c++) {
                    addTerms(j, c, from, to, errors);
                }
            }
        }

        /// Adds `d_i * (H_ii * d_i + 2 * sum over k < i of H_ik * d_k)` for channel `i = start + c`.
        private void addTerms(int start, int c, int from, int to, double[] errors) {
            int channel = start + c;
            for (int k = start; k < channel; k++) {
                ColumnSums.add(triangle[c][k], columns, k, sums[c]);
            }
            for (int i = from; i < to; i++) {
                double d = columns[channel * ColumnSums.ROWS + i - from];
                errors[i] += d * (triangle[c][channel] * d + 2.0 * sums[c][i - from]);
            }
        }
    }
}
