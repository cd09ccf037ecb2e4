package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ALL;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

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
    public void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        put(x, offset, arranged, target);
    }

    /// Nothing is read by address.
    @Override
    boolean isAlive() {
        return true;
    }

    @Override
    void decode(int row, long out, float[] scratch) {
        weight().dequantizeRow(row, scratch, 0);
        put(scratch, 0, ALL, out / 4);
    }

    @Override
    int decodeSpace() {
        return columns;
    }

    private void put(float[] values, int offset, MemorySegment out, long at) {
        MemorySegment.copy(values, offset, out, ValueLayout.JAVA_FLOAT, 4 * at, columns);
        for (int i = columns; i < length; i++) {
            out.setAtIndex(ValueLayout.JAVA_FLOAT, at + i, 0);
        }
    }
}
