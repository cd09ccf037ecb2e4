package io.any4.tinygemm;

import java.util.Arrays;

/// Any weight, dequantized row by row in plain Java: for group sizes that fit no vector layout. Slow but always right.
final class GenericMatrix extends VectorMatrix {
    private final int columns;
    private final int length;

    GenericMatrix(Weight weight) {
        super(weight);
        columns = weight.columns();
        length = Simd.pad(columns);
    }

    @Override
    public int arrangedLength() {
        return length;
    }

    @Override
    public void arrange(float[] x, int offset, float[] arranged, int target) {
        System.arraycopy(x, offset, arranged, target, columns);
        Arrays.fill(arranged, target + columns, target + length, 0f);
    }

    @Override
    void decode(int row, float[] panel, int at, int spare) {
        weight().dequantizeRow(row, panel, at);
        Arrays.fill(panel, at + columns, at + length, 0f);
    }
}
