package io.any4.tinygemm;

/// A weight for the vector kernels.
///
/// One token is multiplied by [#product], which subclasses with a fused kernel override; several tokens share decoded
/// rows in [Gemm]. Both add up the same vectors in the same order.
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

    /// Writes a row as floats, in the order of arranged tokens, to `panel[at .. at + arrangedLength())`. The
    /// [#decodeSpace] floats from `spare` on are free to use.
    abstract void decode(int row, float[] panel, int at, int spare);

    /// Floats that [#decode] needs beside its result.
    int decodeSpace() {
        return 0;
    }

    /// `y[r]` for the rows `from <= r < to` and one arranged token.
    void product(float[] x, float[] y, int from, int to) {
        int length = arrangedLength();
        float[] panel = Scratch.floats(Gemm.ROWS * length + Math.max(decodeSpace(), Gemm.SUMS));
        for (int row = from; row < to; row += Gemm.ROWS) {
            for (int i = 0; i < Gemm.ROWS; i++) {
                decode(Math.min(row + i, to - 1), panel, i * length, Gemm.ROWS * length);
            }
            int last = to - 1;
            Gemm.one(
                    panel,
                    length,
                    x,
                    0,
                    y,
                    0,
                    row,
                    Math.min(row + 1, last),
                    Math.min(row + 2, last),
                    Math.min(row + 3, last));
        }
    }

    @Override
    public final void multiply(float[] arranged, int tokens, float[] y, int from, int to) {
        if (from >= to) {
            return;
        }
        if (tokens == 1) {
            product(arranged, y, from, to);
        } else {
            Gemm.multiply(this, arranged, tokens, y, from, to);
        }
    }

    @Override
    public final int rowGrain() {
        return Gemm.ROWS;
    }
}
