package io.any4.quant;

import io.any4.tinygemm.Team;
import java.util.Arrays;

/// What GPTAQ (arXiv 2504.02692) adds to GPTQ: while a column is rounded, later columns also make up for what its input
/// lost when the layers before were quantized.
///
/// With the upper factor `U` of the inverse Hessian `U^T U` and the input shift `D`, a column's current weight times
/// row `i` of `P = share * triu(D U^T, 1) U` is added to the later ones. Here `U` is the inverse of the upper
/// triangular `R` of [FeedbackFactor], so both products are triangular solves: `T R^T = D` for the part of T above
/// the diagonal, then `P R = T`.
///
/// Takes 2 bytes x channels x channels, and as much again while it is made.
final class ShiftFeedback {
    private static final int ROWS = ColumnSums.ROWS;
    private static final int COLUMNS = ColumnSums.COLUMNS;

    private final FeedbackFactor factor;
    private final InputShift shift;
    private final double share;
    private final float[][] reversed;
    private final float[][] feedback;

    private ShiftFeedback(FeedbackFactor factor, InputShift shift, double share) {
        this.factor = factor;
        this.shift = shift;
        this.share = share;
        this.reversed = reversed(factor);
        this.feedback = new float[factor.order().length][];
        Arrays.setAll(feedback, j -> new float[j]);
    }

    /// Row `j` holds `P_kj` for all `k < j`, in the order of rounding.
    static float[][] of(FeedbackFactor factor, InputShift shift, double share, Team team) {
        ShiftFeedback made = new ShiftFeedback(factor, shift, share);
        team.run(Math.ceilDiv(factor.order().length, ROWS), 1, (from, to) -> {
            for (int batch = from; batch < to; batch++) {
                made.solve(batch * ROWS);
            }
        });
        return made.feedback;
    }

    /// `R` from its last row and column on: entry `c < a` of row `a` is `R_kl / R_kk` with `k = n - 1 - a` and
    /// `l = n - 1 - c`.
    private static float[][] reversed(FeedbackFactor factor) {
        int n = factor.order().length;
        float[][] rows = new float[n][];
        for (int a = 0; a < n; a++) {
            int k = n - 1 - a;
            rows[a] = new float[a];
            for (int c = 0; c < a; c++) {
                int l = n - 1 - c;
                rows[a][c] = (float) (factor.feedback()[l][k] * factor.pivot(l) / factor.pivot(k));
            }
        }
        return rows;
    }

    /// Finds up to [#ROWS] rows of P, from row `first` on.
    private void solve(int first) {
        int n = factor.order().length;
        int count = Math.min(ROWS, n - first);
        float[] transformed = transform(first, count);
        float[] solution = new float[n * ROWS];
        float[][] sums = new float[COLUMNS][ROWS];
        for (int j = 0; j < n; j += COLUMNS) {
            int end = Math.min(n, j + COLUMNS);
            ColumnSums.of(factor.feedback(), j, solution, j, sums, end - j);
            for (int column = j; column < end; column++) {
                float[] sum = sums[column - j];
                for (int k = j; k < column; k++) {
                    ColumnSums.add(factor.feedback()[column][k], solution, k, sum);
                }
                int reversedColumn = n - 1 - column;
                for (int slot = 0; slot < count; slot++) {
                    int row = first + slot;
                    if (row < column) {
                        double right = share * transformed[reversedColumn * ROWS + slot] / factor.pivot(column);
                        float value = (float) (right - sum[slot]);
                        solution[column * ROWS + slot] = value;
                        feedback[column][row] = value;
                    }
                }
            }
        }
    }

    /// The same rows of `D U^T`, from the last column on; what is not above the diagonal is not found.
    private float[] transform(int first, int count) {
        int n = factor.order().length;
        int wanted = n - 1 - first;
        float[] transformed = new float[n * ROWS];
        float[][] sums = new float[COLUMNS][ROWS];
        for (int a = 0; a < wanted; a += COLUMNS) {
            int end = Math.min(wanted, a + COLUMNS);
            ColumnSums.of(reversed, a, transformed, a, sums, end - a);
            for (int column = a; column < end; column++) {
                float[] sum = sums[column - a];
                for (int c = a; c < column; c++) {
                    ColumnSums.add(reversed[column][c], transformed, c, sum);
                }
                int k = n - 1 - column;
                long channel = factor.order()[k];
                for (int slot = 0; slot < count; slot++) {
                    long row = factor.order()[first + slot];
                    double moved = shift.products().getFloat(row * n + channel);
                    transformed[column * ROWS + slot] = (float) (moved / factor.pivot(k) - sum[slot]);
                }
            }
        }
        return transformed;
    }
}
