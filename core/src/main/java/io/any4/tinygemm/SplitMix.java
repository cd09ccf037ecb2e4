package io.any4.tinygemm;

/// SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): the random bits at any place of a seed's sequence.
final class SplitMix {
    private static final long GOLDEN_GAMMA = 0x9E3779B97F4A7C15L;

    private SplitMix() {}

    /// The 64 bits that follow `index` others.
    static long at(long seed, int index) {
        long state = seed + (index + 1) * GOLDEN_GAMMA;
        long z = (state ^ (state >>> 30)) * 0xBF58476D1CE4E5B9L;
        z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
        return z ^ (z >>> 31);
    }
}
