package io.any4.model;

import java.util.Arrays;

/// Which tokens go to which expert, and how much each expert's answer counts.
final class Routing {
    private final int[][] tokens;
    private final float[][] shares;

    private Routing(int[][] tokens, float[][] shares) {
        this.tokens = tokens;
        this.shares = shares;
    }

    /// Sends every token to its `perToken` best experts.
    ///
    /// @param scores `[tokens, experts]`; of equal scores the lower expert wins
    static Routing of(float[] scores, int experts, int perToken) {
        int count = scores.length / experts;
        int[][] tokens = new int[experts][count];
        float[][] shares = new float[experts][count];
        int[] used = new int[experts];
        int[] best = new int[perToken];
        for (int t = 0; t < count; t++) {
            selectBest(scores, t * experts, experts, best);
            float top = scores[t * experts + best[0]];
            double sum = 0;
            for (int e : best) {
                sum += Math.exp(scores[t * experts + e] - top);
            }
            for (int e : best) {
                tokens[e][used[e]] = t;
                shares[e][used[e]++] = (float) (Math.exp(scores[t * experts + e] - top) / sum);
            }
        }
        for (int e = 0; e < experts; e++) {
            tokens[e] = Arrays.copyOf(tokens[e], used[e]);
            shares[e] = Arrays.copyOf(shares[e], used[e]);
        }
        return new Routing(tokens, shares);
    }

    private static void selectBest(float[] scores, int from, int experts, int[] best) {
        for (int k = 0; k < best.length; k++) {
            int choice = -1;
            for (int e = 0; e < experts; e++) {
                if (!contains(best, k, e) && (choice < 0 || scores[from + e] > scores[from + choice])) {
                    choice = e;
                }
            }
            best[k] = choice;
        }
    }

    private static boolean contains(int[] values, int count, int value) {
        for (int i = 0; i < count; i++) {
            if (values[i] == value) {
                return true;
            }
        }
        return false;
    }

    /// Rows of the batch that expert `e` handles, ascending.
    int[] tokens(int e) {
        return tokens[e];
    }

    /// The factor of each of those rows; a token's factors over all experts sum to 1.
    float[] shares(int e) {
        return shares[e];
    }
}
