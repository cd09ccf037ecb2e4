package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/// A weight for the vector kernels.
///
/// One token is multiplied by [#product] and several by [#products], which subclasses with fused kernels override; the
/// rest is left to [Gemm]. All add up the same vectors in the same order.
abstract class VectorMatrix implements CpuMatrix {
    private final Weight weight;
    final int rows;

    VectorMatrix(Weight weight) {
        this.weight = weight;
        this.rows = weight.rows();
    }

    @Override
    public final Weight weight() {
        return weight;
    }

    /// Whether the weight's memory is still there: it may have been mapped by somebody who has closed the file since.
    abstract boolean isAlive();

    /// Writes a row as floats, in the order of arranged tokens, to address `out`. The first [#decodeSpace] floats of
    /// `scratch` are free to use.
    abstract void decode(int row, long out, float[] scratch);

    /// Scratch floats that [#decode] needs.
    int decodeSpace() {
        return 0;
    }

    /// `y[r]` for the rows `from <= r < to` and the arranged token at address `x`.
    void product(long x, float[] y, int from, int to) {
        Gemm.multiply(this, x, 1, y, from, to);
    }

    /// `y[t * rows + r]` for the rows `from <= r < to` and a few arranged tokens, one after the other from address
    /// `x`.
    void products(long x, int tokens, float[] y, int from, int to) {
        Gemm.multiply(this, x, tokens, y, from, to);
    }

    @Override
    public final void multiply(MemorySegment arranged, int tokens, float[] y, int from, int to) {
        if (from >= to) {
            return;
        }
        requireAlive();
        try {
            if (tokens == 1) {
                product(arranged.address(), y, from, to);
            } else {
                products(arranged.address(), tokens, y, from, to);
            }
        } finally {
            // kernels hold addresses only
            Reference.reachabilityFence(arranged);
            Reference.reachabilityFence(this);
        }
    }

    /// Writes a row as [#decode] does to `out`.
    final void decode(int row, MemorySegment out) {
        requireAlive();
        decode(row, out.address(), Scratch.floats(decodeSpace()));
        Reference.reachabilityFence(out);
        Reference.reachabilityFence(this);
    }

    private void requireAlive() {
        if (!isAlive()) {
            throw new IllegalStateException("the checkpoint that the weight lies in has been closed");
        }
    }

    @Override
    public final int rowGrain() {
        return Gemm.ROWS;
    }
}
