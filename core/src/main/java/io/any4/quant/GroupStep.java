package io.any4.quant;

import io.any4.tinygemm.LutWeight;

/// Moves the groups of a batch, one after the other, to the whole scale and the codes that make the error of the
/// layer's output least while all other groups stay.
///
/// The best numbers for a group are what it stores, less the solution of `H_GG x = (H e)_G`. Rounding them goes as in
/// [GroupFeedbackRows], with the group's own part of the Hessian; a result that is no better is dropped.
final class GroupStep {
    /// Trying all scales takes time that grows with the square of the group.
    private static final int LARGEST_GROUP = 128;

    private final FullHessian hessian;
    private final int groupSize;
    private final ScaleSearch search;
    private final double[] lower;
    private final double[] solution;
    private final float[] best;
    private final float[][] feedback;
    private final float[][] gradients;
    private final float[][] sums = new float[ColumnSums.COLUMNS][];

    GroupStep(FullHessian hessian, int levels, int groupSize) {
        this.hessian = hessian;
        this.groupSize = Math.min(groupSize, hessian.channels());
        search = new ScaleSearch(levels, this.groupSize);
        lower = new double[this.groupSize * this.groupSize];
        solution = new double[this.groupSize];
        best = new float[this.groupSize];
        feedback = new float[this.groupSize][this.groupSize];
        gradients = new float[this.groupSize][ColumnSums.ROWS];
    }

    /// Whether a weight has whole scales, of groups that are not too large.
    static boolean suits(LutWeight weight) {
        return weight.hasWholeScales() && Math.min(weight.groupSize(), weight.columns()) <= LARGEST_GROUP;
    }

    void improve(RowBatch batch) {
        for (int group = 0; group < batch.groups(); group++) {
            int from = batch.groupStart(group);
            int size = batch.groupEnd(group) - from;
            if (factor(from, size)) {
                gradients(batch, from, size);
                for (int slot = 0; slot < batch.count(); slot++) {
                    improve(batch, slot, group, size);
                }
            }
        }
    }

    /// Factors the group's part of the Hessian, its last column first: [FeedbackFactor] needs an upper triangle.
    private boolean factor(int from, int size) {
        for (int i = 0; i < size; i++) {
            for (int j = 0; j <= i; j++) {
                lower[i * size + j] = hessian.rows()[from + size - 1 - i][from + size - 1 - j];
            }
        }
        if (!Cholesky.factor(lower, size)) {
            return false;
        }
        for (int c = 0; c < size; c++) {
            int i = size - 1 - c;
            double pivot = lower[i * size + i];
            search.costs()[c] = (float) (pivot * pivot);
            for (int k = 0; k < c; k++) {
                feedback[c][k] = (float) (lower[(size - 1 - k) * size + i] / pivot);
            }
        }
        search.couple(feedback, 0, size);
        return true;
    }

    private void gradients(RowBatch batch, int from, int size) {
        for (int c = 0; c < size; c += ColumnSums.COLUMNS) {
            int together = Math.min(ColumnSums.COLUMNS, size - c);
            System.arraycopy(gradients, c, sums, 0, together);
            hessian.gradient(batch, from + c, from + c + together, sums);
        }
    }

    private void improve(RowBatch batch, int slot, int group, int size) {
        int from = batch.groupStart(group);
        for (int c = 0; c < size; c++) {
            solution[size - 1 - c] = gradients[c][slot];
        }
        Cholesky.solve(lower, size, solution);
        double present = 0;
        for (int c = 0; c < size; c++) {
            best[c] = (float) (batch.value(slot, from + c) - solution[size - 1 - c]);
            double own = solution[size - 1 - c];
            for (int k = 0; k < c; k++) {
                own += (double) feedback[c][k] * solution[size - 1 - k];
            }
            present += search.costs()[c] * own * own;
        }
        for (int c = 0; c < size; c++) {
            float target = best[c];
            for (int k = 0; k < c; k++) {
                target = Math.fma(feedback[c][k], best[k], target);
            }
            search.targets()[c] = target;
        }
        search.use(batch.table(slot));
        float scale = search.best(size, batch.groupScale(slot, group));
        if (search.round(size, scale) < present) {
            batch.setGroup(slot, group, scale, search.codes());
        }
    }
}
