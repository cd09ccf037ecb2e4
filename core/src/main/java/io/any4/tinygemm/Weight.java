package io.any4.tinygemm;

/// The weight of one linear layer, `[rows = out_features, columns = in_features]`, in the form it has on disk.
///
/// Formats are values: whoever touches a weight switches over the permitted records, and the compiler lists
/// every such place when a format is added. Tensors inside are views, often of a mapped file, and are never
/// modified.
public sealed interface Weight permits DenseWeight, LutWeight, IntWeight {
    /// Output features.
    int rows();

    /// Input features.
    int columns();

    /// Bytes of everything that has to be stored: codes, tables, scales and zeros.
    long bytes();

    /// Writes row `row`, dequantized with the numbers as stored, to `out[offset .. offset + columns)`.
    void dequantizeRow(int row, float[] out, int offset);

    /// Average storage per weight, all side data included.
    default double bitsPerWeight() {
        return 8.0 * bytes() / ((double) rows() * columns());
    }
}
