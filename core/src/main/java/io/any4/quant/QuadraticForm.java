package io.any4.quant;

import io.any4.tinygemm.Team;

/// `v -> v' M v - 2 v' c` with `M = A' A`: the squared length of `A v - b` for `c = A' b`, but for `b' b`. With it the
/// candidates for a vector v are compared without going through the rows of A again.
///
/// Takes 4 bytes x columns x columns.
final class QuadraticForm {
    /// Vectors that are evaluated together.
    static final int VECTORS = ColumnSums.ROWS;

    private final float[][] matrix;

    private QuadraticForm(float[][] matrix) {
        this.matrix = matrix;
    }

    /// @param rows A, each row an array
    static QuadraticForm of(float[][] rows, Team team) {
        int n = rows[0].length;
        float[][] columns = transposed(rows);
        float[][] matrix = new float[n][n];
        products(columns, rows.length, columns, matrix, team);
        return new QuadraticForm(matrix);
    }

    static float[][] transposed(float[][] rows) {
        float[][] columns = new float[rows[0].length][rows.length];
        for (int i = 0; i < rows.length; i++) {
            for (int j = 0; j < columns.length; j++) {
                columns[j][i] = rows[i][j];
            }
        }
        return columns;
    }

    /// `out[i][j] = sum over k < length of a[i][k] * b[j][k]`.
    static void products(float[][] a, int length, float[][] b, float[][] out, Team team) {
        team.run(b.length, ColumnSums.ROWS, (from, to) -> {
            float[] panel = new float[length * ColumnSums.ROWS];
            float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];
            for (int j = from; j < to; j += ColumnSums.ROWS) {
                int count = Math.min(ColumnSums.ROWS, to - j);
                ColumnSums.pack(b, j, count, panel);
                for (int i = 0; i < a.length; i += ColumnSums.COLUMNS) {
                    int rows = Math.min(ColumnSums.COLUMNS, a.length - i);
                    ColumnSums.of(a, i, panel, length, sums, rows);
                    for (int row = 0; row < rows; row++) {
                        System.arraycopy(sums[row], 0, out[i + row], j, count);
                    }
                }
            }
        });
    }

    float[] diagonal() {
        float[] diagonal = new float[matrix.length];
        for (int j = 0; j < diagonal.length; j++) {
            diagonal[j] = matrix[j][j];
        }
        return diagonal;
    }

    /// Evaluates vectors, [#VECTORS] of them or fewer while M is read once; serves one thread.
    final class Evaluator {
        private final float[] panel = new float[matrix.length * VECTORS];
        private final float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];

        /// @param vectors the first `count` are meant
        /// @param linear c of each vector
        /// @param out receives `v' M v - 2 v' c`
        void evaluate(float[][] vectors, float[][] linear, int count, double[] out) {
            for (int first = 0; first < count; first += VECTORS) {
                evaluate(vectors, linear, first, Math.min(count, first + VECTORS), out);
            }
        }

        private void evaluate(float[][] vectors, float[][] linear, int first, int last, double[] out) {
            ColumnSums.pack(vectors, first, last - first, panel);
            for (int v = first; v < last; v++) {
                out[v] = 0;
            }
            for (int i = 0; i < matrix.length; i += ColumnSums.COLUMNS) {
                int rows = Math.min(ColumnSums.COLUMNS, matrix.length - i);
                ColumnSums.of(matrix, i, panel, matrix.length, sums, rows);
                for (int row = 0; row < rows; row++) {
                    for (int v = first; v < last; v++) {
                        out[v] += vectors[v][i + row] * (sums[row][v - first] - 2.0 * linear[v][i + row]);
                    }
                }
            }
        }
    }
}
