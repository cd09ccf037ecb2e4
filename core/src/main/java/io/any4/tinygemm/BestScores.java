package io.any4.tinygemm;

import java.util.Arrays;

/// The softmax over the few best of some scores.
final class BestScores {
    private BestScores() {}

    /// Finds the best of `count` scores; of equal ones the lower index wins.
    ///
    /// @param best how many
    /// @param pairs receives index and share of each from element `to` on, indices ascending; shares sum to 1
    static void choose(float[] scores, int from, int count, int best, float[] pairs, int to) {
        int[] chosen = Scratch.ints(best);
        for (int k = 0; k < best; k++) {
            chosen[k] = next(scores, from, count, chosen, k);
        }
        float top = scores[from + chosen[0]];
        double sum = 0;
        for (int k = 0; k < best; k++) {
            sum += Math.exp(scores[from + chosen[k]] - top);
        }
        Arrays.sort(chosen, 0, best);
        for (int k = 0; k < best; k++) {
            pairs[to + 2 * k] = chosen[k];
            pairs[to + 2 * k + 1] = (float) (Math.exp(scores[from + chosen[k]] - top) / sum);
        }
    }

    /// The best of those that are not among the first `taken` chosen.
    private static int next(float[] scores, int from, int count, int[] chosen, int taken) {
        int best = -1;
        for (int i = 0; i < count; i++) {
            if (!contains(chosen, taken, i) && (best < 0 || scores[from + i] > scores[from + best])) {
                best = i;
            }
        }
        return best;
    }

    private static boolean contains(int[] values, int count, int value) {
        for (int i = 0; i < count; i++) {
            if (values[i] == value) {
                return true;
            }
        }
        return false;
    }
}
