package io.any4.quant;

/// Quantizes rows one at a time on one thread; holds what a thread needs, so that no row allocates.
abstract class RowWorker {
    /// The row to quantize.
    final float[] row;

    /// What its stored form reads as.
    final float[] stored;

    RowWorker(int columns) {
        row = new float[columns];
        stored = new float[columns];
    }

    /// Quantizes [#row], which is finite, writes the result to row `index` of the output, and fills [#stored].
    abstract void quantize(int index);
}
