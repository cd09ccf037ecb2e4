package io.any4.quant;

/// A Hessian with both its triangles, damped, as arrays: what coordinate descent reads row by row.
///
/// Takes 4 bytes x channels x channels.
final class FullHessian {
    private final float[][] rows;

    private FullHessian(float[][] rows) {
        this.rows = rows;
    }

    /// @param damping what to add to the diagonal, relative to its mean
    static FullHessian of(Hessian hessian, double damping) {
        int n = hessian.channels();
        double mean = 0;
        for (double moment : hessian.diagonal()) {
            mean += moment / n;
        }
        float[][] rows = new float[n][n];
        for (int i = 0; i < n; i++) {
            hessian.moments().copyTo((long) i * n, rows[i], 0, i + 1);
            for (int j = 0; j < i; j++) {
                rows[j][i] = rows[i][j];
            }
            rows[i][i] += (float) (damping * mean);
        }
        return new FullHessian(rows);
    }

    float[][] rows() {
        return rows;
    }

    int channels() {
        return rows.length;
    }

    /// Writes `e H e^T` of every row, `e` being what the batch's rows are off by.
    void errors(RowBatch batch, double[] errors) {
        float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];
        for (int j = 0; j < rows.length; j += ColumnSums.COLUMNS) {
            int end = Math.min(rows.length, j + ColumnSums.COLUMNS);
            gradient(batch, j, end, sums);
            for (int column = j; column < end; column++) {
                for (int slot = 0; slot < batch.count(); slot++) {
                    errors[batch.first() + slot] += (double) batch.off(slot, column) * sums[column - j][slot];
                }
            }
        }
    }

    /// `sums[c][slot] = sum over k of H_ck e_k` for the columns from `from` to `to`, 8 at most.
    void gradient(RowBatch batch, int from, int to, float[][] sums) {
        ColumnSums.of(rows, from, batch.off(), rows.length, sums, to - from);
    }
}
