package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;

/// Products of a weight with many tokens at once, as when a prompt is processed, by an accelerator: a panel of rows is
/// decoded once and multiplied with all tokens.
final class Prefill {
    /// Rows that a thread gets at least.
    private static final int ROW_GRAIN = 16;

    private final Team team;
    private final PanelGemm gemm;

    Prefill(Team team, PanelGemm gemm) {
        this.team = team;
        this.gemm = gemm;
    }

    /// Whether so many tokens are many.
    boolean isFor(int tokens) {
        return tokens >= gemm.fewestTokens();
    }

    /// `y[t * rows + r]` for x `[tokens, columns]`.
    void multiply(VectorMatrix matrix, float[] x, int tokens, float[] y) {
        PanelGemm.Product product = gemm.begin(tokens, matrix.arrangedLength());
        team.run(tokens, product.tokenGrain(), (from, to) -> arrange(matrix, x, product, from, to));
        team.run(matrix.rows(), ROW_GRAIN, (from, to) -> rows(matrix, gemm.panelRows(), product, y, from, to));
    }

    private static void arrange(VectorMatrix matrix, float[] x, PanelGemm.Product product, int from, int to) {
        int length = matrix.arrangedLength();
        int grain = product.tokenGrain();
        MemorySegment arranged = Scratch.panel((long) grain * length);
        for (int first = from; first < to; first += grain) {
            int count = Math.min(grain, to - first);
            for (int t = 0; t < count; t++) {
                matrix.arrange(x, (first + t) * matrix.columns(), arranged, (long) t * length);
            }
            product.put(first, count, arranged);
        }
    }

    private static void rows(
            VectorMatrix matrix, int panelRows, PanelGemm.Product product, float[] y, int from, int to) {
        PanelGemm.Panel panel = product.panel();
        MemorySegment row = Scratch.panel(matrix.arrangedLength());
        for (int first = from; first < to; first += panelRows) {
            int count = Math.min(panelRows, to - first);
            for (int i = 0; i < count; i++) {
                matrix.decode(first + i, row);
                panel.put(i, row);
            }
            panel.multiply(count, y, first, matrix.rows());
        }
    }
}
