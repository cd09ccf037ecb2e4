package io.any4.tinygemm;

import org.jspecify.annotations.Nullable;

/// A randomized Hadamard rotation `x -> H (s * x) / sqrt(n)`: random signs, then a Hadamard matrix (QuIP#, arXiv
/// 2402.04396, section 3; QuaRot, arXiv 2404.00456). It is orthogonal, so lengths and inner products stay; a few large
/// elements become many small ones, which quantize better.
///
/// Signs are a function of the seed alone: element `i` is negated if the top bit of SplitMix64's output function at
/// state `seed + (i + 1) * 0x9E3779B97F4A7C15` is set.
///
/// Two rotations are equal if their widths and seeds are.
public final class Rotation implements InputTransform {
    private final int width;
    private final long seed;
    private final double[] signs;
    private final Hadamard hadamard;

    /// @param width elements of a vector
    /// @param seed of the signs
    public Rotation(int width, long seed) {
        if (width <= 0) {
            throw new IllegalArgumentException("a rotation needs a positive width, not " + width);
        }
        this.width = width;
        this.seed = seed;
        signs = new double[width];
        for (int i = 0; i < width; i++) {
            signs[i] = SplitMix.at(seed, i) < 0 ? -1 : 1;
        }
        hadamard = Hadamard.of(width);
    }

    @Override
    public int width() {
        return width;
    }

    /// Seed of the signs.
    public long seed() {
        return seed;
    }

    /// What element `i` of a vector is multiplied by before the mixing, whose entries are then 1 and -1: a random sign,
    /// divided by the length of a column.
    public float[] signs() {
        float[] scaled = new float[width];
        for (int i = 0; i < width; i++) {
            scaled[i] = (float) (signs[i] * hadamard.factor());
        }
        return scaled;
    }

    /// The dense factor of the mixing's Kronecker product, `[order][order]` of 1 and -1; often just `[[1]]`.
    public byte[][] dense() {
        return hadamard.dense();
    }

    /// Size of the other factor, Sylvester's matrix: a power of two. Blocks of `dense().length * run()` elements are
    /// mixed, each by itself.
    public int run() {
        return hadamard.run();
    }

    /// A rotator for one thread, to be reused.
    public Rotator rotator() {
        return new Rotator(this);
    }

    @Override
    public void apply(float[] x, int from, float[] out, int to, int rows) {
        Rotator rotator = rotator();
        double[] vector = new double[width];
        for (int r = 0; r < rows; r++) {
            int offset = r * width;
            for (int i = 0; i < width; i++) {
                vector[i] = x[from + offset + i];
            }
            rotator.rotate(vector);
            for (int i = 0; i < width; i++) {
                out[to + offset + i] = (float) vector[i];
            }
        }
    }

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Rotation rotation && rotation.width == width && rotation.seed == seed;
    }

    @Override
    public int hashCode() {
        return 31 * width + Long.hashCode(seed);
    }

    @Override
    public String toString() {
        return "rotation of %d, seed %d".formatted(width, seed);
    }

    /// Carries a rotation out; for one thread.
    public static final class Rotator {
        private final double[] signs;
        private final Hadamard hadamard;
        private final double[] product;

        private Rotator(Rotation rotation) {
            signs = rotation.signs;
            hadamard = rotation.hadamard;
            product = new double[hadamard.block()];
        }

        /// Rotates a vector of the rotation's width in place.
        public void rotate(double[] vector) {
            for (int i = 0; i < signs.length; i++) {
                vector[i] *= signs[i];
            }
            hadamard.multiply(vector, product);
        }
    }
}
