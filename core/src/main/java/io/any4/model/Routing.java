package io.any4.model;

import java.util.Arrays;

/// Which tokens go to which expert, and how much each expert's answer counts: routes, sorted by expert.
final class Routing {
    private final int[][] tokens;
    private final float[][] shares;

    private Routing(int[][] tokens, float[][] shares) {
        this.tokens = tokens;
        this.shares = shares;
    }

    /// @param pairs `[tokens][perToken][2]`, see [io.any4.tinygemm.Routes]
    static Routing of(float[] pairs, int experts, int perToken) {
        int slots = pairs.length / 2;
        int[][] tokens = new int[experts][slots];
        float[][] shares = new float[experts][slots];
        int[] used = new int[experts];
        for (int slot = 0; slot < slots; slot++) {
            int expert = (int) pairs[2 * slot];
            tokens[expert][used[expert]] = slot / perToken;
            shares[expert][used[expert]++] = pairs[2 * slot + 1];
        }
        for (int e = 0; e < experts; e++) {
            tokens[e] = Arrays.copyOf(tokens[e], used[e]);
            shares[e] = Arrays.copyOf(shares[e], used[e]);
        }
        return new Routing(tokens, shares);
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
