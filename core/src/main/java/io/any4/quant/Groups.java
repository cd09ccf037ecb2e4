package io.any4.quant;

/// The extremes of a part of a row.
final class Groups {
    private Groups() {}

    static float min(float[] row, int from, int to) {
        float min = row[from];
        for (int j = from + 1; j < to; j++) {
            min = Math.min(min, row[j]);
        }
        return min;
    }

    static float max(float[] row, int from, int to) {
        float max = row[from];
        for (int j = from + 1; j < to; j++) {
            max = Math.max(max, row[j]);
        }
        return max;
    }

    static float absoluteMax(float[] row, int from, int to) {
        float max = 0f;
        for (int j = from; j < to; j++) {
            max = Math.max(max, Math.abs(row[j]));
        }
        return max;
    }
}
