package io.any4.quant;

import io.any4.tensor.BitPacking;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// A few rows of a quantized weight, unpacked so that tables, scales, zeros and codes can be changed; serves one
/// thread, batch after batch.
final class RowBatch {
    /// Rows held at a time.
    static final int ROWS = ColumnSums.ROWS;

    private final int columns;
    private final int groupSize;
    private final int groups;
    private final int levels;
    private final float[][] original;
    private final byte[][] codes;
    private final float[][] tables;
    private final float[][] thresholds;
    private final float[][] scales;
    private final float[][] zeros;
    private final float[] off;
    private int first;
    private int count;

    /// @param like a weight of the shape and format to hold
    RowBatch(LutWeight like) {
        columns = like.columns();
        groupSize = like.groupSize();
        groups = like.groups();
        levels = like.levels();
        original = new float[ROWS][columns];
        codes = new byte[ROWS][columns];
        tables = new float[ROWS][levels];
        thresholds = new float[ROWS][levels - 1];
        scales = new float[ROWS][groups];
        zeros = new float[ROWS][groups];
        off = new float[columns * ROWS];
    }

    /// Reads rows `from` to `to`, at most [#ROWS].
    void load(Tensor weights, LutWeight stored, int from, int to) {
        first = from;
        count = to - from;
        Arrays.fill(off, 0f);
        for (int slot = 0; slot < count; slot++) {
            weights.copyRow(from + slot, original[slot], 0);
            RowLoop.requireFinite(original[slot], from + slot);
            reload(slot, stored);
        }
    }

    /// Reads what is stored for a row of the batch.
    void reload(int slot, LutWeight stored) {
        int row = first + slot;
        BitPacking.unpackRow(stored.codes(), row, stored.bits(), codes[slot]);
        stored.lut().copyTo(stored.lut().rows() == 1 ? 0 : (long) row * levels, tables[slot], 0, levels);
        stored.scale().copyTo((long) row * groups, scales[slot], 0, groups);
        copyZeros(stored.zero(), row, slot);
        Grid.midpoints(tables[slot], levels, thresholds[slot]);
        measure(slot);
    }

    private void copyZeros(@Nullable Tensor zero, int row, int slot) {
        if (zero != null) {
            zero.copyTo((long) row * groups, zeros[slot], 0, groups);
        }
    }

    /// Writes a row.
    void store(int slot, LutWeight output) {
        int row = first + slot;
        BitPacking.packRow(codes[slot], output.bits(), output.codes(), row);
        if (output.lut().rows() != 1) {
            write(tables[slot], output.lut(), row);
        }
        write(scales[slot], output.scale(), row);
        Tensor zero = output.zero();
        if (zero != null) {
            write(zeros[slot], zero, row);
        }
    }

    private static void write(float[] values, Tensor tensor, int row) {
        for (int i = 0; i < values.length; i++) {
            tensor.setFloat((long) row * values.length + i, values[i]);
        }
    }

    int first() {
        return first;
    }

    int count() {
        return count;
    }

    int columns() {
        return columns;
    }

    int groups() {
        return groups;
    }

    int groupStart(int group) {
        return group * groupSize;
    }

    int groupEnd(int group) {
        return (int) Math.min(columns, (group + 1L) * groupSize);
    }

    byte[] codes(int slot) {
        return codes[slot];
    }

    float[] table(int slot) {
        return tables[slot];
    }

    float scale(int slot, int column) {
        return scales[slot][column / groupSize];
    }

    float groupScale(int slot, int group) {
        return scales[slot][group];
    }

    float groupZero(int slot, int group) {
        return zeros[slot][group];
    }

    /// The level of an element, before scale and zero.
    float level(int slot, int column) {
        return tables[slot][codes[slot][column]];
    }

    float value(int slot, int column) {
        return value(slot, column, codes[slot][column]);
    }

    float value(int slot, int column, int code) {
        int group = column / groupSize;
        return tables[slot][code] * scales[slot][group] + zeros[slot][group];
    }

    /// The code whose value is nearest to `target`; any if the group has only one.
    int nearest(int slot, int column, float target) {
        int group = column / groupSize;
        return Grid.code((target - zeros[slot][group]) / scales[slot][group], thresholds[slot]);
    }

    /// Stored minus original, `[columns, ROWS]`.
    float[] off() {
        return off;
    }

    float off(int slot, int column) {
        return off[column * ROWS + slot];
    }

    void setCode(int slot, int column, int code) {
        codes[slot][column] = (byte) code;
        off[column * ROWS + slot] = value(slot, column) - original[slot][column];
    }

    void setGroup(int slot, int group, float scale, float zero) {
        scales[slot][group] = scale;
        zeros[slot][group] = zero;
        for (int j = groupStart(group); j < groupEnd(group); j++) {
            off[j * ROWS + slot] = value(slot, j) - original[slot][j];
        }
    }

    /// Changes the scale of a group without a zero, and its codes.
    void setGroup(int slot, int group, float scale, byte[] newCodes) {
        System.arraycopy(newCodes, 0, codes[slot], groupStart(group), groupEnd(group) - groupStart(group));
        setGroup(slot, group, scale, 0f);
    }

    /// Changes a row's table. Entries that overtake each other change places, codes along with them.
    void setTable(int slot, float[] table) {
        Integer[] order = new Integer[levels];
        Arrays.setAll(order, k -> k);
        Arrays.sort(order, (a, b) -> Float.compare(table[a], table[b]));
        byte[] renamed = new byte[levels];
        for (int k = 0; k < levels; k++) {
            tables[slot][k] = table[order[k]];
            renamed[order[k]] = (byte) k;
        }
        for (int j = 0; j < columns; j++) {
            codes[slot][j] = renamed[codes[slot][j]];
        }
        Grid.midpoints(tables[slot], levels, thresholds[slot]);
        measure(slot);
    }

    private void measure(int slot) {
        for (int j = 0; j < columns; j++) {
            off[j * ROWS + slot] = value(slot, j) - original[slot][j];
        }
    }

    /// What a row differs by from its original, channels counting the same.
    ErrorStatistics statistics(int slot, float[] even) {
        float[] stored = new float[columns];
        for (int j = 0; j < columns; j++) {
            stored[j] = value(slot, j);
        }
        return ErrorStatistics.ofRow(original[slot], stored, even);
    }
}
