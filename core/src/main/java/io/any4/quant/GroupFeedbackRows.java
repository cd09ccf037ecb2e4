package io.any4.quant;

import io.any4.tensor.BitPacking;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import java.util.Arrays;

/// Rounds a few rows together, group by group, each group with the scale that then serves it best; serves one thread.
final class GroupFeedbackRows implements FeedbackLoop.Rows {
    private static final int ROWS = COUNT;

    private final FeedbackFactor factor;
    private final Tensor weights;
    private final LutWeight start;
    private final LutWeight output;
    private final int columns;
    private final int groupSize;
    private final ScaleSearch search;
    private final float[][] row;
    private final float[][] stored;
    private final byte[][] codes;
    private final float[][] tables;
    private final float[][] scales;
    private final float[] shortfalls;
    private final float[][] feedback;
    private final float[][] sums = new float[ColumnSums.COLUMNS][];
    private final double[] outputError = new double[ROWS];
    private final float[] even;

    /// @param start whose tables stay, and whose scales are tried first
    /// @param output whose codes and scales are written
    GroupFeedbackRows(FeedbackFactor factor, Tensor weights, LutWeight start, LutWeight output) {
        this.factor = factor;
        this.weights = weights;
        this.start = start;
        this.output = output;
        columns = start.columns();
        groupSize = Math.min(start.groupSize(), columns);
        search = new ScaleSearch(start.levels(), groupSize);
        row = new float[ROWS][columns];
        stored = new float[ROWS][columns];
        codes = new byte[ROWS][columns];
        tables = new float[ROWS][start.levels()];
        scales = new float[ROWS][start.groups()];
        shortfalls = new float[columns * ROWS];
        feedback = new float[groupSize][ROWS];
        even = new float[columns];
        Arrays.fill(even, 1f);
    }

    @Override
    public void round(int from, int to, ErrorStatistics[] errors, double[] outputErrors) {
        int count = to - from;
        for (int slot = 0; slot < count; slot++) {
            load(slot, from + slot);
        }
        Arrays.fill(outputError, 0);
        for (int first = 0; first < columns; ) {
            int group = factor.order()[first] / groupSize;
            int size = Math.min(groupSize, columns - group * groupSize);
            roundGroup(group, first, size, count);
            first += size;
        }
        for (int slot = 0; slot < count; slot++) {
            store(slot, from + slot);
            errors[from + slot] = ErrorStatistics.ofRow(row[slot], stored[slot], even);
            outputErrors[from + slot] = outputError[slot];
        }
    }

    private void load(int slot, int index) {
        weights.copyRow(index, row[slot], 0);
        RowLoop.requireFinite(row[slot], index);
        int levels = start.levels();
        start.lut().copyTo(start.lut().rows() == 1 ? 0 : (long) index * levels, tables[slot], 0, levels);
        start.scale().copyTo((long) index * start.groups(), scales[slot], 0, start.groups());
    }

    private void store(int slot, int index) {
        BitPacking.packRow(codes[slot], output.bits(), output.codes(), index);
        for (int group = 0; group < scales[slot].length; group++) {
            output.scale().setFloat((long) index * scales[slot].length + group, scales[slot][group]);
        }
    }

    /// @param first place in the order of rounding of the group's first column
    private void roundGroup(int group, int first, int size, int count) {
        for (int c = 0; c < size; c += ColumnSums.COLUMNS) {
            int together = Math.min(ColumnSums.COLUMNS, size - c);
            System.arraycopy(feedback, c, sums, 0, together);
            ColumnSums.of(factor.feedback(), first + c, shortfalls, first, sums, together);
        }
        search.couple(factor.feedback(), first, size);
        for (int c = 0; c < size; c++) {
            search.costs()[c] = (float) factor.cost(first + c);
        }
        for (int slot = 0; slot < count; slot++) {
            roundGroup(group, first, size, slot, scales[slot]);
        }
    }

    private void roundGroup(int group, int first, int size, int slot, float[] ownScales) {
        float[] weight = row[slot];
        for (int c = 0; c < size; c++) {
            float[] ofColumn = factor.feedback()[first + c];
            float target = weight[factor.order()[first + c]] + feedback[c][slot];
            for (int k = 0; k < c; k++) {
                target = Math.fma(ofColumn[first + k], weight[factor.order()[first + k]], target);
            }
            search.targets()[c] = target;
        }
        search.use(tables[slot]);
        float scale = search.best(size, ownScales[group]);
        outputError[slot] += search.round(size, scale);
        ownScales[group] = scale;
        for (int c = 0; c < size; c++) {
            int channel = factor.order()[first + c];
            float value = search.values()[c];
            codes[slot][channel] = search.codes()[c];
            stored[slot][channel] = value;
            shortfalls[(first + c) * ROWS + slot] = weight[channel] - value;
        }
    }
}
