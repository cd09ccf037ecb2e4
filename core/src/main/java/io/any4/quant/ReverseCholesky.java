package io.any4.quant;

import io.any4.tinygemm.Team;

/// Cholesky factorisation from the last row up: `A = L^T L` with L lower triangular, so that `R = L^T` is an
/// upper triangular R with `A = R R^T`.
///
/// Rows are finished in blocks, and each block is then taken out of all rows above it: a row is read once per
/// block, not once per row.
final class ReverseCholesky {
    private static final int BLOCK = 64;
    private static final int UNROLLED = 4;

    private ReverseCholesky() {}

    /// Replaces the lower triangle `a` (row `i` holds `i + 1` numbers) by L.
    ///
    /// @return false if the matrix is not positive definite; `a` is then of no use
    static boolean factor(double[][] a, Team team) {
        for (int end = a.length; end > 0; end -= BLOCK) {
            int start = Math.max(0, end - BLOCK);
            if (!factorBlock(a, start, end)) {
                return false;
            }
            int last = end;
            // Rows differ in length: a short and a long one make one piece of work.
            team.run((start + 1) / 2, 1, (from, to) -> {
                for (int i = from; i < to; i++) {
                    takeOut(a, start, last, i);
                    if (i != start - 1 - i) {
                        takeOut(a, start, last, start - 1 - i);
                    }
                }
            });
        }
        return true;
    }

    private static boolean factorBlock(double[][] a, int start, int end) {
        for (int j = end - 1; j >= start; j--) {
            double[] row = a[j];
            double pivot = row[j];
            if (!(pivot > Double.MIN_NORMAL) || Double.isInfinite(pivot)) {
                return false;
            }
            double scale = 1 / Math.sqrt(pivot);
            for (int k = 0; k <= j; k++) {
                row[k] *= scale;
            }
            for (int i = start; i < j; i++) {
                takeOut(a[i], row, row[i], i + 1);
            }
        }
        return true;
    }

    /// Takes the finished rows `start` to `end` out of row `i`.
    private static void takeOut(double[][] a, int start, int end, int i) {
        int j = start;
        for (; j + UNROLLED <= end; j += UNROLLED) {
            takeOut(a[i], a[j], a[j + 1], a[j + 2], a[j + 3], i);
        }
        for (; j < end; j++) {
            takeOut(a[i], a[j], a[j][i], i + 1);
        }
    }

    private static void takeOut(double[] row, double[] r0, double[] r1, double[] r2, double[] r3, int i) {
        double f0 = r0[i];
        double f1 = r1[i];
        double f2 = r2[i];
        double f3 = r3[i];
        for (int k = 0; k <= i; k++) {
            row[k] -= f0 * r0[k] + f1 * r1[k] + f2 * r2[k] + f3 * r3[k];
        }
    }

    private static void takeOut(double[] row, double[] finished, double factor, int count) {
        for (int k = 0; k < count; k++) {
            row[k] -= factor * finished[k];
        }
    }
}
