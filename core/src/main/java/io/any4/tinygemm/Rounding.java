package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import org.jspecify.annotations.Nullable;

/// What rounding floats to small integers takes.
final class Rounding {
    /// Added to a float of less than 2^22, it leaves the nearest integer in the lower bits.
    private static final float ROUNDER = 0x1.8p23f;

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

    /// Leaves the integers nearest to `x * factor` in the lower bits.
    static void round(float[] x, int from, int count, float factor, int[] bits) {
        int i = 0;
        for (; i < FLOATS.loopBound(count); i += LANES) {
            FloatVector.fromArray(FLOATS, x, from + i)
                    .mul(factor)
                    .add(ROUNDER)
                    .reinterpretAsInts()
                    .intoArray(bits, i);
        }
        for (; i < count; i++) {
            bits[i] = Float.floatToRawIntBits(x[from + i] * factor + ROUNDER);
        }
    }

    /// The sum of `count` integers that [#round] left, a multiple of the lanes. What the rounder adds
    /// overflows, and is subtracted just so.
    static int sum(int[] bits, int from, int count) {
        IntVector sum = IntVector.zero(INTS);
        for (int i = from; i < from + count; i += LANES) {
            sum = IntVector.fromArray(INTS, bits, i).add(sum);
        }
        return IntVector.zero(INTS).add(sum).reduceLanes(VectorOperators.ADD) - ZERO * count;
    }

    /// The least of the entries of a table that starts at `from`.
    static float lowest(float[] tables, int from, int entries) {
        float lowest = tables[from];
        for (int i = from + 1; i < from + entries; i++) {
            lowest = Math.min(lowest, tables[i]);
        }
        return lowest;
    }

    /// The greatest of them.
    static float highest(float[] tables, int from, int entries) {
        float highest = tables[from];
        for (int i = from + 1; i < from + entries; i++) {
            highest = Math.max(highest, tables[i]);
        }
        return highest;
    }

    /// Whether scales, and zeros if there are any, are F16 numbers as they are.
    static boolean fitHalf(Tensor scale, @Nullable Tensor zero) {
        return fitsHalf(scale) && (zero == null || fitsHalf(zero));
    }

    private static boolean fitsHalf(Tensor sides) {
        return sides.dtype() == DType.F16 || sides.dtype() == DType.I8;
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
