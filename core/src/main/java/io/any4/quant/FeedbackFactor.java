package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Team;
import java.util.Arrays;
import java.util.Comparator;

/// A Hessian split so that a row's output error is a sum over columns, each term depending on earlier columns
/// only.
///
/// With `H = R R^T`, R upper triangular, the error of a row that is off by `e` is the squared length of `e R`,
/// and entry `j` of that is `R_jj * (e_j + sum over k < j of e_k * R_kj / R_jj)`. So column `j` is best rounded
/// to the level nearest to `w_j + sum over k < j of e_k * R_kj / R_jj`, `e_k` being what the earlier columns are
/// short of. That is GPTQ (arXiv 2210.17323): its updates by the inverse's Cholesky factor add up to the same,
/// but here no inverse is needed.
final class FeedbackFactor {
    private static final double DAMPING_GROWTH = 10;
    private static final double LARGEST_DAMPING = 1e3;

    private final int[] order;
    private final float[][] feedback;
    private final double[] diagonal;
    private final double damping;

    private FeedbackFactor(int[] order, float[][] feedback, double[] diagonal, double damping) {
        this.order = order;
        this.feedback = feedback;
        this.diagonal = diagonal;
        this.damping = damping;
    }

    /// The channel that is rounded as the `j`th one.
    int[] order() {
        return order;
    }

    /// Row `j` holds `R_kj / R_jj` for all `k < j`, in the order of rounding.
    float[][] feedback() {
        return feedback;
    }

    /// `R_jj^2`: what a squared difference at the `j`th step adds to the output error.
    double cost(int j) {
        return diagonal[j] * diagonal[j];
    }

    /// `R_jj`.
    double pivot(int j) {
        return diagonal[j];
    }

    /// The damping it took, relative to the mean of the diagonal.
    double damping() {
        return damping;
    }

    /// Factors a Hessian, its diagonal raised by `damping` times its mean, by ten times more each time that was too
    /// little.
    ///
    /// @param byActivation whether to round the channels with the largest activations first
    static FeedbackFactor of(Hessian hessian, double damping, boolean byActivation, Team team) {
        return of(hessian, damping, byActivation, 1, team);
    }

    /// @param byActivation whether to round the groups with the largest activations first, and of a group the channels
    /// @param groupSize consecutive channels that are rounded one after the other
    static FeedbackFactor of(Hessian hessian, double damping, boolean byActivation, int groupSize, Team team) {
        double[] moments = hessian.diagonal();
        requireFinite(moments);
        int[] order = order(moments, byActivation, groupSize);
        for (double tried = damping; tried <= LARGEST_DAMPING; tried = Math.max(tried, 1e-4) * DAMPING_GROWTH) {
            double[][] lower = damped(hessian, moments, order, tried);
            if (ReverseCholesky.factor(lower, team)) {
                return of(order, lower, tried);
            }
        }
        throw new InvalidInputException(
                "the activations' second moments are no positive matrix: calibrate with more text, or without feedback");
    }

    private static FeedbackFactor of(int[] order, double[][] lower, double damping) {
        float[][] feedback = new float[order.length][];
        double[] diagonal = new double[order.length];
        for (int j = 0; j < order.length; j++) {
            double[] row = lower[j];
            feedback[j] = new float[j];
            diagonal[j] = row[j];
            for (int k = 0; k < j; k++) {
                feedback[j][k] = (float) (row[k] / row[j]);
            }
            lower[j] = new double[0]; // as large as what replaces it, twice over
        }
        return new FeedbackFactor(order, feedback, diagonal, damping);
    }

    private static int[] order(double[] moments, boolean byActivation, int groupSize) {
        Integer[] channels = new Integer[moments.length];
        Arrays.setAll(channels, j -> j);
        if (byActivation) {
            double[] ofGroup = new double[Math.ceilDiv(moments.length, groupSize)];
            for (int j = 0; j < moments.length; j++) {
                ofGroup[j / groupSize] += moments[j];
            }
            Arrays.sort(
                    channels,
                    Comparator.<Integer>comparingDouble(j -> -ofGroup[j / groupSize])
                            .thenComparingInt(j -> j / groupSize)
                            .thenComparingDouble(j -> -moments[j]));
        }
        return Arrays.stream(channels).mapToInt(j -> j).toArray();
    }

    /// The part on and below the diagonal, in the order of rounding. A channel that was never active gets a 1
    /// there: it is then rounded on its own.
    private static double[][] damped(Hessian hessian, double[] moments, int[] order, double damping) {
        int n = order.length;
        double added = damping * Arrays.stream(moments).average().orElse(0);
        double[][] lower = new double[n][];
        for (int i = 0; i < n; i++) {
            lower[i] = new double[i + 1];
            for (int k = 0; k <= i; k++) {
                long row = Math.max(order[i], order[k]);
                lower[i][k] = hessian.moments().getFloat(row * n + Math.min(order[i], order[k]));
            }
            lower[i][i] = moments[order[i]] <= 0 ? 1 : lower[i][i] + added;
        }
        return lower;
    }

    private static void requireFinite(double[] moments) {
        for (int j = 0; j < moments.length; j++) {
            if (!Double.isFinite(moments[j])) {
                throw new InvalidInputException(
                        "the calibration activations of channel %d are not finite: the model overflows on that text"
                                .formatted(j));
            }
        }
    }
}
