package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Rounds a few rows together, column by column, with the feedback of a [FeedbackFactor], and of a [ShiftFeedback] if
/// there is one; serves one thread.
///
/// With the latter, what is aimed at is not the weight `w_j` but `a_j = w_j + sum over k < j of c_k * P_kj`, `c_k`
/// being the target that column `k` was rounded from.
final class FeedbackRows implements FeedbackLoop.Rows {
    private static final int ROWS = COUNT;

    private static final int COLUMNS = ColumnSums.COLUMNS;

    private final FeedbackFactor factor;
    private final float @Nullable [][] shiftFeedback;
    private final Tensor weights;
    private final Levels levels;
    private final Recoded output;
    private final int columns;
    private final float[][] row;
    private final float[][] stored;
    private final byte[][] codes;
    private final float[] shortfalls;
    private final float[] targets;
    private final float[][] feedback = new float[COLUMNS][ROWS];
    private final float[][] shifted = new float[COLUMNS][ROWS];
    private final double[] outputError = new double[ROWS];
    private final float[] even;

    /// @param output whose codes are written
    FeedbackRows(
            FeedbackFactor factor, float @Nullable [][] shiftFeedback, Tensor weights, Weight levels, Recoded output) {
        this.factor = factor;
        this.shiftFeedback = shiftFeedback;
        this.weights = weights;
        this.levels = new Levels(levels, ROWS);
        this.output = output;
        columns = levels.columns();
        row = new float[ROWS][columns];
        stored = new float[ROWS][columns];
        codes = new byte[ROWS][columns];
        shortfalls = new float[columns * ROWS];
        targets = new float[shiftFeedback == null ? 0 : columns * ROWS];
        even = new float[columns];
        Arrays.fill(even, 1f);
    }

    @Override
    public void round(int from, int to, ErrorStatistics[] errors, double[] outputErrors) {
        int count = to - from;
        for (int slot = 0; slot < count; slot++) {
            weights.copyRow(from + slot, row[slot], 0);
            RowLoop.requireFinite(row[slot], from + slot);
            levels.load(slot, from + slot);
        }
        Arrays.fill(outputError, 0);
        for (int j = 0; j < columns; j += COLUMNS) {
            int end = Math.min(columns, j + COLUMNS);
            ColumnSums.of(factor.feedback(), j, shortfalls, j, feedback, end - j);
            if (shiftFeedback != null) {
                ColumnSums.of(shiftFeedback, j, targets, j, shifted, end - j);
            }
            for (int column = j; column < end; column++) {
                roundColumn(column, j, count);
            }
        }
        for (int slot = 0; slot < count; slot++) {
            output.writeRow(from + slot, codes[slot]);
            errors[from + slot] = ErrorStatistics.ofRow(row[slot], stored[slot], even);
            outputErrors[from + slot] = outputError[slot];
        }
    }

    /// Rounds one column, the columns from `start` on still to be fed back.
    private void roundColumn(int column, int start, int count) {
        float[] sums = feedback[column - start];
        float[] shifts = shifted[column - start];
        for (int k = start; k < column; k++) {
            ColumnSums.add(factor.feedback()[column][k], shortfalls, k, sums);
            if (shiftFeedback != null) {
                ColumnSums.add(shiftFeedback[column][k], targets, k, shifts);
            }
        }
        int channel = factor.order()[column];
        double cost = factor.cost(column);
        for (int slot = 0; slot < count; slot++) {
            float aim = row[slot][channel];
            if (shiftFeedback != null) {
                aim += shifts[slot];
            }
            float target = aim + sums[slot];
            byte code = levels.code(slot, channel, target);
            float value = levels.value(slot, channel, code);
            codes[slot][channel] = code;
            stored[slot][channel] = value;
            shortfalls[column * ROWS + slot] = aim - value;
            if (shiftFeedback != null) {
                targets[column * ROWS + slot] = target;
            }
            double missed = target - (double) value;
            outputError[slot] += cost * missed * missed;
        }
    }
}
