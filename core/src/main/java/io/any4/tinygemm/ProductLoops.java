package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Multiplies a weight with tokens, which are arranged first. The object is kept, as those of all loops of a
/// [CpuDevice] are: what a lambda would capture is in its fields, and a token allocates nothing.
final class ProductLoops {
    private final Team team;
    private final Team.Range arranging = this::arrange;
    private final Team.Range multiplying = this::multiply;
    private MemorySegment arranged = Scratch.aligned(0);

    private @Nullable CpuMatrix matrix;
    private float[] x = {};
    private int tokens;
    private float[] y = {};

    ProductLoops(Team team) {
        this.team = team;
    }

    /// `y[t * rows + r]` for x `[tokens, columns]`.
    void run(CpuMatrix matrix, float[] x, int tokens, float[] y) {
        this.matrix = matrix;
        this.x = x;
        this.tokens = tokens;
        this.y = y;
        reserve((long) tokens * matrix.arrangedLength());
        team.run(tokens, 4, arranging);
        team.run(matrix.rows(), matrix.rowGrain(), multiplying);
    }

    private void reserve(long length) {
        if (arranged.byteSize() < 4 * length) {
            arranged = Scratch.aligned(length);
        }
    }

    private void arrange(int from, int to) {
        CpuMatrix w = Objects.requireNonNull(matrix);
        int columns = w.columns();
        long length = w.arrangedLength();
        for (int t = from; t < to; t++) {
            w.arrange(x, t * columns, arranged, t * length);
        }
    }

    private void multiply(int from, int to) {
        Objects.requireNonNull(matrix).multiply(arranged, tokens, y, from, to);
    }
}
