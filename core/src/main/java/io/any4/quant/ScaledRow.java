package io.any4.quant;

import io.any4.tensor.DType;

/// A row scaled, group by group, to `[-1, 1]`: what the table of any4 is learned on.
///
///     value = (w - zero) / scale,  zero = (min + max) / 2 or 0,  scale = max |w - zero|
///
/// Scales and zeros are as they read once stored, so values may exceed 1 by a rounding error. A group that its zero
/// represents exactly has scale 0: every table entry reproduces it.
final class ScaledRow {
    /// As in the paper: groups narrower than this are not blown up to the whole range.
    private static final float LEAST_RANGE = 1e-6f;

    private final DType metadata;
    private final boolean symmetric;
    private final int groupSize;
    private final float[] values;
    private final float[] scales;
    private final float[] zeros;

    ScaledRow(QuantizationSpec spec, int columns) {
        metadata = spec.metadata();
        symmetric = spec.symmetric();
        groupSize = spec.groupSize(columns);
        int groups = Math.ceilDiv(columns, groupSize);
        values = new float[columns];
        scales = new float[groups];
        zeros = new float[groups];
    }

    /// The scaled weights.
    float[] values() {
        return values;
    }

    /// Per group.
    float[] scales() {
        return scales;
    }

    /// Per group; all 0 if the format is symmetric.
    float[] zeros() {
        return zeros;
    }

    /// Scales a row; `index` is for error messages.
    void scale(float[] row, int index) {
        int from = 0;
        for (int group = 0; group < scales.length; group++) {
            int to = (int) Math.min(row.length, (long) from + groupSize);
            scaleGroup(row, index, group, from, to);
            from = to;
        }
    }

    private void scaleGroup(float[] row, int index, int group, int from, int to) {
        float min = Groups.min(row, from, to);
        float max = Groups.max(row, from, to);
        float zero = symmetric ? 0f : WeightTensors.round(0.5f * min + 0.5f * max, metadata, index);
        float reach = Math.max(max - zero, zero - min);
        float least = symmetric ? LEAST_RANGE : 0.5f * LEAST_RANGE;
        float scale = reach == 0f ? 0f : WeightTensors.round(Math.max(reach, least), metadata, index);
        zeros[group] = zero;
        scales[group] = scale;
        for (int j = from; j < to; j++) {
            values[j] = scale == 0f ? 0f : (row[j] - zero) / scale;
        }
    }

    /// Writes how much each element's error counts: `factors[j] * scale^power`, up to a factor common to the row.
    /// The elements of a group of scale 0 count nothing, as no table entry can make them worse.
    void elementWeights(int power, float[] factors, float[] weights) {
        float largest = Groups.max(scales, 0, scales.length);
        int from = 0;
        for (int group = 0; group < scales.length; group++) {
            int to = (int) Math.min(weights.length, (long) from + groupSize);
            float ratio = largest == 0f ? 1f : scales[group] / largest;
            float common = scales[group] == 0f ? 0f : power == 0 ? 1f : power == 1 ? ratio : ratio * ratio;
            for (int j = from; j < to; j++) {
                weights[j] = factors[j] * common;
            }
            from = to;
        }
    }
}
