package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// A weight as it is, multiplied row by dequantized row.
record ScalarMatrix(Weight weight) implements CpuMatrix {
    @Override
    public int arrangedLength() {
        return columns();
    }

    @Override
    public void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        MemorySegment.copy(x, offset, arranged, ValueLayout.JAVA_FLOAT, 4 * target, columns());
    }

    @Override
    public void multiply(MemorySegment arranged, int tokens, float[] y, int from, int to) {
        int rows = rows();
        int columns = columns();
        float[] row = new float[columns];
        for (int r = from; r < to; r++) {
            weight.dequantizeRow(r, row, 0);
            for (int t = 0; t < tokens; t++) {
                y[t * rows + r] = dot(row, arranged, (long) t * columns);
            }
        }
    }

    private static float dot(float[] row, MemorySegment x, long offset) {
        double sum = 0;
        for (int c = 0; c < row.length; c++) {
            sum += (double) row[c] * x.getAtIndex(ValueLayout.JAVA_FLOAT, offset + c);
        }
        return (float) sum;
    }

    @Override
    public int rowGrain() {
        return 1;
    }
}
