package io.any4.tinygemm;

import io.any4.tensor.Tensor;

/// An unquantized weight: an F32, F16 or BF16 matrix.
public record DenseWeight(Tensor values) implements Weight {
    public DenseWeight {
        if (values.shape().rank() != 2 || !values.dtype().isFloat()) {
            throw new IllegalArgumentException(
                    "a dense weight is a float matrix, not %s %s".formatted(values.dtype(), values.shape()));
        }
    }

    @Override
    public int rows() {
        return Math.toIntExact(values.rows());
    }

    @Override
    public int columns() {
        return Math.toIntExact(values.columns());
    }

    @Override
    public long bytes() {
        return values.data().byteSize();
    }

    @Override
    public void dequantizeRow(int row, float[] out, int offset) {
        values.copyRow(row, out, offset);
    }
}
