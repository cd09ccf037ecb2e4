package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Weight;
import java.util.Arrays;

/// Rounds a few rows together, column by column, with the feedback of a [FeedbackFactor]; serves one thread.
final class FeedbackRows {
    /// Rows rounded together.
    static final int ROWS = ColumnSums.ROWS;

    private static final int COLUMNS = ColumnSums.COLUMNS;

    private final FeedbackFactor factor;
    private final Tensor weights;
    private final Levels levels;
    private final int columns;
    private final float[][] row;
    private final float[][] stored;
    private final byte[][] codes;
    private final float[] shortfalls;
    private final float[][] feedback = new float[COLUMNS][ROWS];
    private final double[] outputError = new double[ROWS];
    private final float[] even;

    FeedbackRows(FeedbackFactor factor, Tensor weights, Weight levels) {
        this.factor = factor;
        this.weights = weights;
        this.levels = new Levels(levels, ROWS);
        columns = levels.columns();
        row = new float[ROWS][columns];
        stored = new float[ROWS][columns];
        codes = new byte[ROWS][columns];
        shortfalls = new float[columns * ROWS];
        even = new float[columns];
        Arrays.fill(even, 1f);
    }

    /// Rounds rows `from` to `to`, at most [#ROWS].
    void round(int from, int to, Recoded output, ErrorStatistics[] errors, double[] outputErrors) {
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
        for (int k = start; k < column; k++) {
            ColumnSums.add(factor.feedback()[column][k], shortfalls, k, sums);
        }
        int channel = factor.order()[column];
        double cost = factor.cost(column);
        for (int slot = 0; slot < count; slot++) {
            float weight = row[slot][channel];
            float target = weight + sums[slot];
            byte code = levels.code(slot, channel, target);
            float value = levels.value(slot, channel, code);
            codes[slot][channel] = code;
            stored[slot][channel] = value;
            shortfalls[column * ROWS + slot] = weight - value;
            double missed = target - (double) value;
            outputError[slot] += cost * missed * missed;
        }
    }
}
