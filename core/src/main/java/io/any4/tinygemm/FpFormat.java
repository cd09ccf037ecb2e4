package io.any4.tinygemm;

import java.util.List;
import java.util.stream.IntStream;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// A float format of a sign, exponent and mantissa bits, without infinities and NaN, whose exponent bias is any real
/// number (LLM-FP4, arXiv 2310.16836, section 3): a bias `b` is a factor `2^-b` on one fixed grid.
///
/// On that grid numbers with exponent `e >= 1` are multiples of `2^(e - mantissaBits)`, and those below 2 are multiples
/// of what holds for `e = 1`.
///
/// @param exponentBits 1 to 5
/// @param mantissaBits 0 to 6
public record FpFormat(int exponentBits, int mantissaBits) {
    /// Added and subtracted, it leaves a float below 2^22 rounded to an integer, ties to even.
    private static final float ROUNDER = 3 << 22;

    /// Where a float has its exponent, the exponent 1 there, and the sum of those of a power of two and its reciprocal.
    private static final int EXPONENT = 0x7f800000;

    private static final int LEAST_EXPONENT = 128 << 23;
    private static final int TWICE_BIAS = 254 << 23;

    public FpFormat {
        if (exponentBits < 1 || exponentBits > 5 || mantissaBits < 0 || mantissaBits > 6) {
            throw new IllegalArgumentException(
                    "no float format of %d exponent and %d mantissa bits".formatted(exponentBits, mantissaBits));
        }
    }

    /// The formats worth trying: E3M0, E2M1 and E1M2 of 4 bits; E5M2, E4M3, E3M4, E2M5 and E1M6 of 8.
    public static List<FpFormat> ofBits(int bits) {
        return switch (bits) {
            case 4 -> formats(4, 3);
            case 8 -> formats(8, 5);
            default -> throw new IllegalArgumentException("no float formats of %d bits".formatted(bits));
        };
    }

    private static List<FpFormat> formats(int bits, int mostExponentBits) {
        return IntStream.iterate(mostExponentBits, e -> e >= 1, e -> e - 1)
                .mapToObj(e -> new FpFormat(e, bits - 1 - e))
                .toList();
    }

    /// The largest number on the grid.
    public float largest() {
        return (2 - Math.scalb(1f, -mantissaBits)) * Math.scalb(1f, (1 << exponentBits) - 1);
    }

    /// The exponent bias with which `maximum` is the largest number.
    public double bias(double maximum) {
        return Math.log(largest() / maximum) / Math.log(2);
    }

    /// The nearest number on the grid, ties to even; beyond the largest one, that.
    public float round(float x) {
        float largest = largest();
        float clamped = Math.max(-largest, Math.min(largest, x));
        int exponent = Math.max(Math.getExponent(clamped), 1);
        float step = Float.intBitsToFloat((exponent - mantissaBits + 127) << 23);
        float steps = clamped / step;
        return (steps + ROUNDER - ROUNDER) * step;
    }

    /// Replaces `values[from]` to `values[to - 1]` by what [#round(float)] makes of them.
    public void round(float[] values, int from, int to) {
        float largest = largest();
        int mantissa = mantissaBits << 23;
        int j = from;
        for (; j <= to - Simd.LANES; j += Simd.LANES) {
            FloatVector x = FloatVector.fromArray(Simd.FLOATS, values, j);
            FloatVector clamped = x.min(largest).max(-largest);
            IntVector step = clamped.reinterpretAsInts()
                    .and(EXPONENT)
                    .max(LEAST_EXPONENT)
                    .sub(mantissa);
            // the reciprocal of a power of two is exact
            IntVector perUnit = step.neg().add(TWICE_BIAS);
            FloatVector steps = clamped.mul(perUnit.reinterpretAsFloats());
            steps.add(ROUNDER).sub(ROUNDER).mul(step.reinterpretAsFloats()).intoArray(values, j);
        }
        for (; j < to; j++) {
            values[j] = round(values[j]);
        }
    }

    /// The numbers of a 4-bit format in ascending order, -0 and 0 included, times a power of two that brings them
    /// below 1.
    public float[] levels() {
        int half = 1 << (exponentBits + mantissaBits);
        float[] levels = new float[2 * half];
        for (int k = 0; k < half; k++) {
            int exponent = k >> mantissaBits;
            int mantissa = k & ((1 << mantissaBits) - 1);
            int steps = exponent == 0 ? mantissa : mantissa + (1 << mantissaBits);
            float level = Math.scalb((float) steps, Math.max(exponent, 1) - mantissaBits - (1 << exponentBits));
            levels[half + k] = level;
            levels[half - 1 - k] = -level;
        }
        return levels;
    }

    /// What [#levels] are multiplied by to lie on the grid.
    public float levelFactor() {
        return Math.scalb(1f, 1 << exponentBits);
    }

    @Override
    public String toString() {
        return "E%dM%d".formatted(exponentBits, mantissaBits);
    }
}
