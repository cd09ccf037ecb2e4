package io.any4.quant;

/// Cyclic coordinate descent on the codes of a batch: column after column takes the level that makes the layer's
/// output error least, all other columns as they are.
final class CodeStep {
    private final FullHessian hessian;
    private final float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];
    private final float[] changes = new float[RowBatch.ROWS];

    CodeStep(FullHessian hessian) {
        this.hessian = hessian;
    }

    void improve(RowBatch batch) {
        for (int j = 0; j < batch.columns(); j += ColumnSums.COLUMNS) {
            int end = Math.min(batch.columns(), j + ColumnSums.COLUMNS);
            hessian.gradient(batch, j, end, sums);
            for (int column = j; column < end; column++) {
                improve(batch, column, sums[column - j]);
                for (int later = column + 1; later < end; later++) {
                    ColumnSums.add(hessian.rows()[later][column], changes, 0, sums[later - j]);
                }
            }
        }
    }

    private void improve(RowBatch batch, int column, float[] gradient) {
        float curvature = hessian.rows()[column][column];
        for (int slot = 0; slot < batch.count(); slot++) {
            float value = batch.value(slot, column);
            int code = batch.nearest(slot, column, value - gradient[slot] / curvature);
            float change = batch.value(slot, column, code) - value;
            changes[slot] = 0f;
            if (change * (2f * gradient[slot] + curvature * change) < 0f) {
                batch.setCode(slot, column, code);
                changes[slot] = change;
            }
        }
    }
}
