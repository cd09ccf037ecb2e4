package io.any4.quant;

import io.any4.tinygemm.Team;
import java.util.Arrays;

/// `v -> v' M v - 2 v' c` with `M = A' A`: the squared length of `A v - b` for `c = A' b`, but for `b' b`. With it the
/// candidates for a vector v are compared without going through the rows of A again.
///
/// Takes 4 bytes x columns x columns.
final class QuadraticForm {
    private static final int BLOCK = 8;

    private final float[][] matrix;

    private QuadraticForm(float[][] matrix) {
        this.matrix = matrix;
    }

    /// @param rows A, each row an array
    static QuadraticForm of(float[][] rows, Team team) {
        int n = rows[0].length;
        float[][] matrix = new float[n][n];
        team.run(Math.ceilDiv(n, BLOCK), 1, (from, to) -> {
            for (int block = from; block < to; block++) {
                accumulate(rows, matrix, block * BLOCK, Math.min(n, (block + 1) * BLOCK));
            }
        });
        return new QuadraticForm(matrix);
    }

    private static void accumulate(float[][] rows, float[][] matrix, int from, int to) {
        for (float[] row : rows) {
            for (int j = from; j < to; j++) {
                addScaled(row, row[j], matrix[j]);
            }
        }
    }

    /// `target += factor * source`.
    static void addScaled(float[] source, float factor, float[] target) {
        for (int i = 0; i < target.length; i++) {
            target[i] += factor * source[i];
        }
    }

    static double dot(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (double) a[i] * b[i];
        }
        return sum;
    }

    float diagonal(int j) {
        return matrix[j][j];
    }

    /// Evaluates several vectors at once, as that reads M once.
    ///
    /// @param vectors the first `count` are meant
    /// @param linear c
    /// @param products working memory of the same shape as `vectors`
    /// @param out receives `v' M v - 2 v' c`
    void evaluate(float[][] vectors, int count, float[] linear, float[][] products, double[] out) {
        for (int c = 0; c < count; c++) {
            Arrays.fill(products[c], 0);
        }
        for (int j = 0; j < matrix.length; j++) {
            for (int c = 0; c < count; c++) {
                addScaled(matrix[j], vectors[c][j], products[c]);
            }
        }
        for (int c = 0; c < count; c++) {
            out[c] = dot(vectors[c], products[c]) - 2 * dot(vectors[c], linear);
        }
    }
}
