package io.any4.quant;

/// Small systems of linear equations with a positive definite matrix.
final class Cholesky {
    private Cholesky() {}

    /// Replaces the lower triangle of `a`, `[n, n]`, by L with `a = L L^T`.
    ///
    /// @return false if the matrix is not positive definite; `a` is then of no use
    static boolean factor(double[] a, int n) {
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double sum = a[i * n + j];
                for (int k = 0; k < j; k++) {
                    sum -= a[i * n + k] * a[j * n + k];
                }
                if (i != j) {
                    a[i * n + j] = sum / a[j * n + j];
                } else if (sum > Double.MIN_NORMAL && sum < Double.POSITIVE_INFINITY) {
                    a[i * n + i] = Math.sqrt(sum);
                } else {
                    return false;
                }
            }
        }
        return true;
    }

    /// Replaces `x` by the solution of `L L^T y = x`.
    static void solve(double[] lower, int n, double[] x) {
        for (int i = 0; i < n; i++) {
            for (int k = 0; k < i; k++) {
                x[i] -= lower[i * n + k] * x[k];
            }
            x[i] /= lower[i * n + i];
        }
        for (int i = n - 1; i >= 0; i--) {
            for (int k = i + 1; k < n; k++) {
                x[i] -= lower[k * n + i] * x[k];
            }
            x[i] /= lower[i * n + i];
        }
    }
}
