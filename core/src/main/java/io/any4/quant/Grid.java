package io.any4.quant;

/// The levels of a format in ascending order, and where one level's range ends and the next one's begins.
///
/// @param levels the table, ascending; equal neighbours are allowed
/// @param thresholds one fewer; `x` gets level `k` if it is above exactly `k` of them
record Grid(float[] levels, float[] thresholds) {
    /// NormalFloat with the decision thresholds bitsandbytes uses (QLoRA, arXiv 2305.14314).
    static Grid nf4() {
        return new Grid(
                new float[] {
                    -1f,
                    -0.6961928f,
                    -0.52507305f,
                    -0.3949175f,
                    -0.28444138f,
                    -0.18477343f,
                    -0.091050036f,
                    0f,
                    0.0795803f,
                    0.1609302f,
                    0.2461123f,
                    0.33791524f,
                    0.44070983f,
                    0.562617f,
                    0.72295684f,
                    1f
                },
                new float[] {
                    -0.8480964f,
                    -0.6106329f,
                    -0.45999527f,
                    -0.33967942f,
                    -0.2346074f,
                    -0.13791174f,
                    -0.045525018f,
                    0.03979015f,
                    0.12025525f,
                    0.20352125f,
                    0.29201376f,
                    0.38931254f,
                    0.50166345f,
                    0.6427869f,
                    0.86147845f
                });
    }

    /// The 4-bit float of bitsandbytes, divided by its maximum; a magnitude on a threshold takes the lower level.
    static Grid fp4() {
        float[] magnitudes = {0f, 0.0052083335f, 0.16666667f, 0.25f, 0.33333334f, 0.5f, 0.6666667f, 1f};
        float[] thresholds = {0.00260417f, 0.0859375f, 0.20833333f, 0.29166666f, 0.4166667f, 0.583333f, 0.8333333f};
        return mirrored(magnitudes, thresholds);
    }

    /// E2M1, as OCP microscaling defines it; a magnitude on a threshold takes the higher level.
    static Grid e2m1() {
        float[] magnitudes = {0f, 0.5f, 1f, 1.5f, 2f, 3f, 4f, 6f};
        float[] thresholds = {0.25f, 0.75f, 1.25f, 1.75f, 2.5f, 3.5f, 5f};
        for (int k = 0; k < thresholds.length; k++) {
            thresholds[k] = Math.nextDown(thresholds[k]); // at least the threshold is above the number before it
        }
        return mirrored(magnitudes, thresholds);
    }

    /// Where `any4s` and its kin start: uneven levels whose largest magnitude is -1, so that a group can choose
    /// by the sign of its scale which of its tails gets the wider one. At 4 bits the table of llama.cpp's IQ4_NL.
    static float[] uneven(int bits) {
        float[] levels = switch (bits) {
            case 2 -> new float[] {-31, -13, 1, 17};
            case 3 -> new float[] {-63, -40, -23, -10, 1, 13, 28, 47};
            case 4 -> new float[] {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
            default -> throw new IllegalArgumentException("no uneven levels of " + bits + " bits");
        };
        float largest = -levels[0];
        for (int k = 0; k < levels.length; k++) {
            levels[k] /= largest;
        }
        return levels;
    }

    /// A grid of the magnitudes and their negatives, -0 and 0 included. A value goes to the level whose magnitude
    /// its own selects by being above the thresholds; 0 goes to 0.
    private static Grid mirrored(float[] magnitudes, float[] magnitudeThresholds) {
        int half = magnitudes.length;
        float[] levels = new float[2 * half];
        float[] thresholds = new float[2 * half - 1];
        for (int k = 0; k < half; k++) {
            levels[half + k] = magnitudes[k];
            levels[half - 1 - k] = -magnitudes[k];
        }
        thresholds[half - 1] = -Float.MIN_VALUE; // above it: 0 and more
        for (int k = 0; k < half - 1; k++) {
            thresholds[half + k] = magnitudeThresholds[k];
            thresholds[half - 2 - k] = Math.nextDown(-magnitudeThresholds[k]); // the magnitude on it stays above
        }
        return new Grid(levels, thresholds);
    }

    /// `0 .. count - 1`, or from `first` on.
    static float[] integers(int first, int count) {
        float[] levels = new float[count];
        for (int k = 0; k < count; k++) {
            levels[k] = first + k;
        }
        return levels;
    }

    /// Writes the midpoints of `count` ascending levels to `thresholds`: with them [#code] finds the nearest level.
    static void midpoints(float[] levels, int count, float[] thresholds) {
        for (int k = 0; k < count - 1; k++) {
            thresholds[k] = 0.5f * (levels[k] + levels[k + 1]);
        }
    }

    /// The level for `x` among `thresholds.length + 1` levels, a power of two; NaN gets level 0.
    static int code(float x, float[] thresholds) {
        int code = 0;
        for (int step = (thresholds.length + 1) >> 1; step > 0; step >>= 1) {
            code += x > thresholds[code + step - 1] ? step : 0;
        }
        return code;
    }
}
