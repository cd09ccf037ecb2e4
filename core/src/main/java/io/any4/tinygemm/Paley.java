package io.any4.tinygemm;

import java.util.Arrays;

/// Paley's two constructions of Hadamard matrices from the squares modulo a prime (J. Math. Phys. 12, 1933): order
/// `q + 1` for primes `q` with remainder 3 modulo 4, and `2 (q + 1)` for those with remainder 1.
final class Paley {
    private Paley() {}

    /// Whether one of them gives this order.
    static boolean exists(int order) {
        return first(order) || second(order);
    }

    private static boolean first(int order) {
        return order % 4 == 0 && isPrime(order - 1);
    }

    private static boolean second(int order) {
        int q = order / 2 - 1;
        return order % 4 == 0 && q % 4 == 1 && isPrime(q);
    }

    /// The matrix, of entries 1 and -1; rows are orthogonal.
    static byte[][] matrix(int order) {
        if (first(order)) {
            return skew(order - 1);
        }
        if (second(order)) {
            return doubled(order / 2 - 1);
        }
        throw new IllegalArgumentException("Paley gives no Hadamard matrix of order " + order);
    }

    /// `I + S` with the skew-symmetric conference matrix S of order `q + 1`.
    private static byte[][] skew(int q) {
        byte[][] matrix = bordered(q, -1);
        for (int i = 0; i <= q; i++) {
            matrix[i][i] = 1;
        }
        return matrix;
    }

    /// The symmetric conference matrix of order `q + 1` with 2 x 2 blocks for its entries.
    private static byte[][] doubled(int q) {
        byte[][] conference = bordered(q, 1);
        int order = 2 * (q + 1);
        byte[][] matrix = new byte[order][order];
        for (int i = 0; i < order; i++) {
            for (int j = 0; j < order; j++) {
                boolean lowerRight = (i & 1) == 1 && (j & 1) == 1;
                boolean upperLeft = (i & 1) == 0 && (j & 1) == 0;
                int entry = conference[i / 2][j / 2];
                matrix[i][j] = (byte) (entry == 0 ? upperLeft ? 1 : -1 : lowerRight ? -entry : entry);
            }
        }
        return matrix;
    }

    /// Jacobsthal's matrix, whose entry (i, j) tells whether `i - j` is a square modulo q, with a row of ones above it
    /// and a column of `left` beside it.
    private static byte[][] bordered(int q, int left) {
        byte[] character = character(q);
        byte[][] matrix = new byte[q + 1][q + 1];
        for (int i = 0; i < q; i++) {
            matrix[0][i + 1] = 1;
            matrix[i + 1][0] = (byte) left;
            for (int j = 0; j < q; j++) {
                matrix[i + 1][j + 1] = character[Math.floorMod(i - j, q)];
            }
        }
        return matrix;
    }

    /// 1 for squares modulo q, -1 for others, 0 for 0.
    private static byte[] character(int q) {
        byte[] character = new byte[q];
        Arrays.fill(character, (byte) -1);
        for (int i = 1; i < q; i++) {
            character[i * i % q] = 1;
        }
        character[0] = 0;
        return character;
    }

    private static boolean isPrime(int n) {
        for (int divisor = 2; divisor * divisor <= n; divisor++) {
            if (n % divisor == 0) {
                return false;
            }
        }
        return n >= 2;
    }
}
