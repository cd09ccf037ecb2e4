package io.any4.tinygemm;

import java.util.Arrays;

/// The cosines and sines of rotary position embedding for all positions up to the greatest that was asked for.
final class RopeTable {
    private static final int LEAST_POSITIONS = 64;

    private final float[] frequencies;
    private float[] cosines = new float[0];
    private float[] sines = new float[0];

    /// @param frequencies radians per position of each pair of elements
    RopeTable(float[] frequencies) {
        this.frequencies = frequencies;
    }

    /// Makes sure that the table covers the positions before `end`.
    ///
    /// Angles are rounded to float before their cosine is taken, as in PyTorch: checkpoints were trained that way.
    void reach(int end) {
        int half = frequencies.length;
        int known = cosines.length / Math.max(1, half);
        if (end <= known) {
            return;
        }
        int positions = Math.max(end, Math.max(LEAST_POSITIONS, 2 * known));
        cosines = Arrays.copyOf(cosines, positions * half);
        sines = Arrays.copyOf(sines, positions * half);
        for (int position = known; position < positions; position++) {
            for (int i = 0; i < half; i++) {
                float angle = position * frequencies[i];
                cosines[position * half + i] = (float) Math.cos(angle);
                sines[position * half + i] = (float) Math.sin(angle);
            }
        }
    }

    /// Cosines, those of a position from element `position * headDim / 2` on; likewise [#sines].
    float[] cosines() {
        return cosines;
    }

    float[] sines() {
        return sines;
    }
}
