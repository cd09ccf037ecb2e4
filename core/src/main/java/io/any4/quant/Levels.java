package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import org.jspecify.annotations.Nullable;

/// The values that a few rows of a quantized weight can take, its scales, zeros and tables being settled.
///
/// A slot holds one row. Tables have to be ascending, as all those made here are.
final class Levels {
    private final Weight weight;
    private final int columns;
    private final int groupSize;
    private final int groups;
    private final Tensor scale;
    private final @Nullable Tensor zero;
    private final int levels;
    private final float lowestCode;
    private final float[] tables;
    private final float[][] thresholds;
    private final float[] scales;
    private final float[] zeros;

    /// @param slots rows held at a time
    Levels(Weight weight, int slots) {
        this.weight = weight;
        columns = weight.columns();
        switch (weight) {
            case LutWeight lut -> {
                groupSize = lut.groupSize();
                scale = lut.scale();
                zero = lut.zero();
                levels = lut.levels();
                lowestCode = 0;
            }
            case IntWeight integers -> {
                groupSize = integers.groupSize();
                scale = integers.scale();
                zero = integers.zero();
                levels = 256;
                lowestCode = integers.codes().dtype() == DType.I8 ? -128 : 0;
            }
            case DenseWeight dense ->
                throw new IllegalArgumentException("a dense weight has no levels to choose from: " + dense);
        }
        groups = Math.ceilDiv(columns, groupSize);
        tables = new float[slots * levels];
        thresholds = new float[slots][levels - 1];
        scales = new float[slots * groups];
        zeros = new float[slots * groups];
    }

    /// Fills a slot.
    void load(int slot, int row) {
        scale.copyTo((long) row * groups, scales, slot * groups, groups);
        if (zero != null) {
            zero.copyTo((long) row * groups, zeros, slot * groups, groups);
        }
        if (weight instanceof LutWeight lut) {
            long table = lut.lut().rows() == 1 ? 0 : (long) row * levels;
            lut.lut().copyTo(table, tables, slot * levels, levels);
            for (int k = 0; k < levels - 1; k++) {
                int at = slot * levels + k;
                thresholds[slot][k] = 0.5f * (tables[at] + tables[at + 1]);
            }
        }
    }

    /// The code, as stored, of the level nearest to `value`; any if the group has only one.
    byte code(int slot, int column, float value) {
        int group = slot * groups + column / groupSize;
        float scaled = (value - zeros[group]) / scales[group];
        if (weight instanceof LutWeight) {
            return (byte) Grid.code(scaled, thresholds[slot]);
        }
        return (byte) (int) Math.clamp((float) Math.rint(scaled), lowestCode, lowestCode + 255);
    }

    /// What a code stands for.
    float value(int slot, int column, byte code) {
        int group = slot * groups + column / groupSize;
        float level;
        if (weight instanceof LutWeight) {
            level = tables[slot * levels + code];
        } else {
            level = lowestCode < 0 ? code : code & 0xff;
        }
        return level * scales[group] + zeros[group];
    }
}
