package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;

/// A weight as one family of kernels wants it.
///
/// Inputs are arranged once per product, so that the inner loops can read the weights in the order they are stored in
/// and so that what all rows need of an input, such as its group sums, is computed once.
interface CpuMatrix extends Matrix {
    /// Floats of one arranged token.
    int arrangedLength();

    /// Arranges the token at `x[offset .. offset + columns)`, writing [#arrangedLength] floats from float `target` on.
    void arrange(float[] x, int offset, MemorySegment arranged, long target);

    /// `y[t * rows + r]` for all `tokens` arranged tokens `t` and the rows `from <= r < to`.
    ///
    /// A value depends on its own row and token only, whatever else is computed beside it.
    void multiply(MemorySegment arranged, int tokens, float[] y, int from, int to);

    /// Rows that are best computed together: row ranges of threads start at multiples of this.
    int rowGrain();
}
