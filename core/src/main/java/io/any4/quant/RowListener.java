package io.any4.quant;

/// Watches a matrix being quantized.
///
/// Called on the thread that called the quantizer, after every block of rows and at least once; the last call has
/// `done == rows` and the statistics of the whole matrix. Throwing from it abandons the matrix.
@FunctionalInterface
public interface RowListener {
    /// Listens to nothing.
    RowListener NONE = (done, rows, soFar) -> {};

    /// @param done rows finished
    /// @param rows rows of the matrix
    /// @param soFar the error of the finished rows
    void progress(int done, int rows, ErrorStatistics soFar);
}
