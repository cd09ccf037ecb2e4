package io.any4.quant;

/// The few best of many candidates, by a cheap measure, for a dear one to decide.
final class Shortlist {
    /// The true optimum is rarely further down a list that the diagonal of the quadratic form has sorted.
    static final int LENGTH = 8;

    private Shortlist() {}

    /// Indices of the `length` smallest values, best first; of equal ones the first.
    static int[] smallest(double[] values, int length) {
        int[] indices = new int[Math.min(length, values.length)];
        boolean[] taken = new boolean[values.length];
        for (int k = 0; k < indices.length; k++) {
            int best = -1;
            for (int i = 0; i < values.length; i++) {
                if (!taken[i] && (best < 0 || values[i] < values[best])) {
                    best = i;
                }
            }
            taken[best] = true;
            indices[k] = best;
        }
        return indices;
    }
}
