package io.any4.tinygemm;

/// Matrices of one shape, of which each row of a product takes its own: see [Device#stack].
public interface MatrixStack {
    /// How many there are.
    int count();

    /// Rows of each: `out_features`.
    int rows();

    /// Columns of each: `in_features`.
    int columns();
}
