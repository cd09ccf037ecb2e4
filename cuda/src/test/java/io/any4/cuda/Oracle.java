package io.any4.cuda;

import io.any4.tinygemm.Weight;

/// Matrix products in double precision, straight from the weight as stored.
final class Oracle {
    private Oracle() {}

    /// `y[t][r]` for x `[tokens, columns]`.
    static double[] matmul(Weight weight, float[] x, int tokens) {
        double[] y = new double[tokens * weight.rows()];
        float[] row = new float[weight.columns()];
        for (int r = 0; r < weight.rows(); r++) {
            weight.dequantizeRow(r, row, 0);
            for (int t = 0; t < tokens; t++) {
                double sum = 0;
                for (int j = 0; j < row.length; j++) {
                    sum += (double) row[j] * x[t * row.length + j];
                }
                y[t * weight.rows() + r] = sum;
            }
        }
        return y;
    }

    /// The distance over the norm; NaN where anything is not a number.
    static double relativeError(float[] actual, double[] expected) {
        double distance = 0;
        double norm = 0;
        for (int i = 0; i < expected.length; i++) {
            distance += (actual[i] - expected[i]) * (actual[i] - expected[i]);
            norm += expected[i] * expected[i];
        }
        return Math.sqrt(distance / norm);
    }
}
