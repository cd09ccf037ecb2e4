package io.any4.tinygemm;

/// Multiplication by a normalised Hadamard matrix of any size in `n log n` steps, roughly.
///
/// The matrix is the Kronecker product of a [Paley] matrix of order `m`, which is 1 or a multiple of 4, and Sylvester's
/// of order `2^p`. A size that is no such product gives a block-diagonal matrix of the largest blocks `2^p` that divide
/// it. Immutable.
final class Hadamard {
    /// Beyond this order the dense factor would cost more than it spreads.
    private static final int LARGEST_DENSE = 256;

    private final int size;
    private final byte[][] dense;
    private final int runLength;
    private final double factor;

    private Hadamard(int size, byte[][] dense, int runLength) {
        this.size = size;
        this.dense = dense;
        this.runLength = runLength;
        this.factor = 1 / Math.sqrt((double) dense.length * runLength);
    }

    static Hadamard of(int size) {
        int powerOfTwo = Integer.lowestOneBit(size);
        if (powerOfTwo != size) {
            // The smallest dense factor is the cheapest: take as much of the power of two as leaves it an order.
            for (int run = powerOfTwo; run >= 1; run /= 2) {
                int order = size / run;
                if (order <= LARGEST_DENSE && Paley.exists(order)) {
                    return new Hadamard(size, Paley.matrix(order), run);
                }
            }
        }
        return new Hadamard(size, new byte[][] {{1}}, powerOfTwo);
    }

    /// The dense factor; not to be modified.
    byte[][] dense() {
        return dense;
    }

    /// Size of Sylvester's factor.
    int run() {
        return runLength;
    }

    /// What the product of both is multiplied by.
    double factor() {
        return factor;
    }

    /// Elements that are mixed with each other.
    int block() {
        return dense.length * runLength;
    }

    /// Multiplies a vector in place.
    ///
    /// @param product working memory for [#block] elements
    void multiply(double[] x, double[] product) {
        for (int start = 0; start < size; start += block()) {
            for (int run = start; run < start + block(); run += runLength) {
                sylvester(x, run);
            }
            multiplyDense(x, start, product);
        }
    }

    /// The fast Walsh-Hadamard transform of one run.
    private void sylvester(double[] x, int start) {
        for (int half = 1; half < runLength; half *= 2) {
            for (int pair = start; pair < start + runLength; pair += 2 * half) {
                for (int i = pair; i < pair + half; i++) {
                    double a = x[i];
                    double b = x[i + half];
                    x[i] = a + b;
                    x[i + half] = a - b;
                }
            }
        }
    }

    /// Mixes elements of equal place in the runs of a block, and normalises.
    private void multiplyDense(double[] x, int start, double[] product) {
        for (int a = 0; a < dense.length; a++) {
            int out = a * runLength;
            for (int i = 0; i < runLength; i++) {
                product[out + i] = dense[a][0] * x[start + i];
            }
            for (int b = 1; b < dense.length; b++) {
                double sign = dense[a][b];
                int in = start + b * runLength;
                for (int i = 0; i < runLength; i++) {
                    product[out + i] += sign * x[in + i];
                }
            }
        }
        for (int i = 0; i < block(); i++) {
            x[start + i] = factor * product[i];
        }
    }
}
