package io.any4.tinygemm;

/// What units of [VectorAttention] found in parts of the positions, until it is merged.
final class AttentionParts {
    /// Parts there are.
    int count;
    float[] mixed = new float[0];
    float[] maximum = new float[0];
    float[] sum = new float[0];
    private int rows;

    /// Makes room for parts of `rowsPerHead` rows in each of `heads` key-value heads.
    void reserve(int parts, int heads, int rowsPerHead, int width) {
        count = parts;
        rows = rowsPerHead;
        int slots = parts * heads * rowsPerHead;
        if (sum.length < slots) {
            maximum = new float[2 * slots];
            sum = new float[2 * slots];
        }
        if (mixed.length < slots * width) {
            mixed = new float[2 * slots * width];
        }
    }

    /// The place of a row in a part.
    int slot(int head, int row, int part) {
        return (head * rows + row) * count + part;
    }
}
