package io.any4.tinygemm;

import java.util.List;

/// The matrices of a [CpuDevice]'s stack.
record CpuStack(List<Matrix> matrices) implements MatrixStack {
    CpuStack {
        matrices = List.copyOf(matrices);
    }

    @Override
    public int count() {
        return matrices.size();
    }

    @Override
    public int rows() {
        return matrices.getFirst().rows();
    }

    @Override
    public int columns() {
        return matrices.getFirst().columns();
    }
}
