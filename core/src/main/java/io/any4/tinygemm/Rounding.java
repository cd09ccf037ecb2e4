package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// What rounding floats to small integers takes.
final class Rounding {
    /// Added to a float of less than 2^22, it leaves the nearest integer in the lower bits.
    static final float ROUNDER = 0x1.8p23f;

    /// What stands for 0 after that.
    static final int ZERO = Float.floatToRawIntBits(ROUNDER);

    private static final int MAGNITUDE = Integer.MAX_VALUE;

    private Rounding() {}

    /// The greatest magnitude, or NaN if there is one: as whole numbers, bits of magnitudes have the order of
    /// what they stand for, and comparing them takes one instruction.
    static float largest(float[] x, int from, int count) {
        IntVector largest = IntVector.zero(INTS);
        int i = 0;
        for (; i < FLOATS.loopBound(count); i += LANES) {
            largest = FloatVector.fromArray(FLOATS, x, from + i)
                    .reinterpretAsInts()
                    .and(MAGNITUDE)
                    .max(largest);
        }
        int bits = IntVector.zero(INTS).max(largest).reduceLanes(VectorOperators.MAX);
        for (; i < count; i++) {
            bits = Math.max(bits, Float.floatToRawIntBits(x[from + i]) & MAGNITUDE);
        }
        return Float.intBitsToFloat(bits);
    }

    /// What 1 is worth in a table whose entries become whole numbers above or below `zero`: `smallest`, or
    /// the next power of two if that makes them whole without rounding.
    ///
    /// @param from where the table starts in `tables`
    static float unit(float[] tables, int from, int entries, float zero, float smallest) {
        float power = Math.scalb(1f, Math.getExponent(smallest) + 1);
        for (int i = from; i < from + entries; i++) {
            float entry = (tables[i] - zero) / power;
            if (entry != Math.rint(entry)) {
                return smallest;
            }
        }
        return power;
    }
}
