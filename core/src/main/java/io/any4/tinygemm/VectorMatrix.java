package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;

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

    /// Writes a row as floats, in the order of arranged tokens, to the panel from float `at` on. The first
    /// [#decodeSpace] floats of `scratch` are free to use.
    abstract void decode(int row, MemorySegment panel, long at, float[] scratch);

    /// Scratch floats that [#decode] needs.
    int decodeSpace() {
        return 0;
    }

    /// `y[r]` for the rows `from <= r < to` and one arranged token.
    void product(MemorySegment x, float[] y, int from, int to) {
        Gemm.multiply(this, x, 1, y, from, to);
    }

    /// `y[t * rows + r]` for the rows `from <= r < to` and a few arranged tokens.
    void products(MemorySegment x, int tokens, float[] y, int from, int to) {
        Gemm.multiply(this, x, tokens, y, from, to);
    }

    @Override
    public final void multiply(MemorySegment arranged, int tokens, float[] y, int from, int to) {
        if (from >= to) {
            return;
        }
        if (tokens == 1) {
            product(arranged, y, from, to);
        } else {
            products(arranged, tokens, y, from, to);
        }
    }

    @Override
    public final int rowGrain() {
        return Gemm.ROWS;
    }
}
