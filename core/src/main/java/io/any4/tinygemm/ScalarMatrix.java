package io.any4.tinygemm;

/// A weight as it is, multiplied row by dequantized row.
record ScalarMatrix(Weight weight) implements CpuMatrix {
    @Override
    public int arrangedLength() {
        return columns();
    }

    @Override
    public void arrange(float[] x, int offset, float[] arranged, int target) {
        System.arraycopy(x, offset, arranged, target, columns());
    }

    @Override
    public void multiply(float[] arranged, int tokens, float[] y, int from, int to) {
        int rows = rows();
        int columns = columns();
        float[] row = new float[columns];
        for (int r = from; r < to; r++) {
            weight.dequantizeRow(r, row, 0);
            for (int t = 0; t < tokens; t++) {
                y[t * rows + r] = dot(row, arranged, t * columns);
            }
        }
    }

    private static float dot(float[] row, float[] x, int offset) {
        double sum = 0;
        for (int c = 0; c < row.length; c++) {
            sum += (double) row[c] * x[offset + c];
        }
        return (float) sum;
    }

    @Override
    public int rowGrain() {
        return 1;
    }
}
