package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/// Rounds a few rows together, column by column, with the feedback of a [FeedbackFactor]; serves one thread.
///
/// Everything is kept transposed, one number per row side by side, so that the sums over earlier columns run along
/// contiguous memory, and the factor, which is far larger than any cache, is read once for all the rows.
final class FeedbackRows {
    /// Rows rounded together.
    static final int ROWS = 64;

    /// Columns whose sums over all earlier columns are formed together.
    private static final int COLUMNS = 8;

    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
    private static final int LANES = FLOATS.length();

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
            sumEarlier(j, end);
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

    /// Sums up, for columns `start` to `end`, what all columns before `start` feed back.
    private void sumEarlier(int start, int end) {
        if (end - start == COLUMNS) {
            for (int slot = 0; slot < ROWS; slot += LANES) {
                sumEarlierOfLanes(start, slot);
            }
            return;
        }
        for (int column = start; column < end; column++) {
            Arrays.fill(feedback[column - start], 0f);
            for (int k = 0; k < start; k++) {
                add(feedback[column - start], factor.feedback(column)[k], k);
            }
        }
    }

    /// As many rows as a vector has lanes, eight columns at a time: the sums stay in registers.
    private void sumEarlierOfLanes(int start, int slot) {
        float[] f0 = factor.feedback(start);
        float[] f1 = factor.feedback(start + 1);
        float[] f2 = factor.feedback(start + 2);
        float[] f3 = factor.feedback(start + 3);
        float[] f4 = factor.feedback(start + 4);
        float[] f5 = factor.feedback(start + 5);
        float[] f6 = factor.feedback(start + 6);
        float[] f7 = factor.feedback(start + 7);
        FloatVector s0 = FloatVector.zero(FLOATS);
        FloatVector s1 = s0;
        FloatVector s2 = s0;
        FloatVector s3 = s0;
        FloatVector s4 = s0;
        FloatVector s5 = s0;
        FloatVector s6 = s0;
        FloatVector s7 = s0;
        for (int k = 0; k < start; k++) {
            FloatVector e = FloatVector.fromArray(FLOATS, shortfalls, k * ROWS + slot);
            s0 = e.fma(FloatVector.broadcast(FLOATS, f0[k]), s0);
            s1 = e.fma(FloatVector.broadcast(FLOATS, f1[k]), s1);
            s2 = e.fma(FloatVector.broadcast(FLOATS, f2[k]), s2);
            s3 = e.fma(FloatVector.broadcast(FLOATS, f3[k]), s3);
            s4 = e.fma(FloatVector.broadcast(FLOATS, f4[k]), s4);
            s5 = e.fma(FloatVector.broadcast(FLOATS, f5[k]), s5);
            s6 = e.fma(FloatVector.broadcast(FLOATS, f6[k]), s6);
            s7 = e.fma(FloatVector.broadcast(FLOATS, f7[k]), s7);
        }
        s0.intoArray(feedback[0], slot);
        s1.intoArray(feedback[1], slot);
        s2.intoArray(feedback[2], slot);
        s3.intoArray(feedback[3], slot);
        s4.intoArray(feedback[4], slot);
        s5.intoArray(feedback[5], slot);
        s6.intoArray(feedback[6], slot);
        s7.intoArray(feedback[7], slot);
    }

    private void add(float[] sums, float factorEntry, int k) {
        int at = k * ROWS;
        for (int slot = 0; slot < ROWS; slot++) {
            sums[slot] = Math.fma(factorEntry, shortfalls[at + slot], sums[slot]);
        }
    }

    /// Rounds one column, the columns from `start` on still to be fed back.
    private void roundColumn(int column, int start, int count) {
        float[] sums = feedback[column - start];
        for (int k = start; k < column; k++) {
            add(sums, factor.feedback(column)[k], k);
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
