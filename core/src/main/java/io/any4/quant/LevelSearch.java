package io.any4.quant;

import java.util.Arrays;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/// Finds the nearest of up to 16 ascending levels for many numbers: [Grid#code] of each. Serves one thread.
///
/// Where a vector holds 16 floats, levels and the thresholds between them are a register each, and the binary search
/// of 16 numbers is four selects.
final class LevelSearch {
    private static final int LANES = 16;
    private static final boolean WIDE = FloatVector.SPECIES_PREFERRED.length() >= LANES;
    private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_512;
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final VectorSpecies<Byte> BYTES = ByteVector.SPECIES_128;

    private final int count;
    private final float[] levels = new float[LANES];
    private final float[] thresholds = new float[LANES];
    private final float[] own;

    /// @param count of the levels: a power of two, 16 at most
    LevelSearch(int count) {
        this.count = count;
        own = new float[count - 1];
        Arrays.fill(thresholds, Float.POSITIVE_INFINITY);
    }

    /// Searches among these levels from now on, which meet half-way between them.
    void use(float[] newLevels) {
        Grid.midpoints(newLevels, count, own);
        System.arraycopy(newLevels, 0, levels, 0, count);
        System.arraycopy(own, 0, thresholds, 0, count - 1);
    }

    /// Writes the codes of `x[j] * factor` to `codes[j]` for `from <= j < to`.
    void codes(float[] x, int from, int to, float factor, byte[] codes) {
        int j = from;
        if (WIDE) {
            IntVector bounds = FloatVector.fromArray(FLOATS, thresholds, 0).reinterpretAsInts();
            for (; j <= to - LANES; j += LANES) {
                IntVector code = code(FloatVector.fromArray(FLOATS, x, j).mul(factor), bounds, count >> 1);
                ((ByteVector) code.convertShape(VectorOperators.I2B, BYTES, 0)).intoArray(codes, j);
            }
        }
        for (; j < to; j++) {
            codes[j] = (byte) Grid.code(x[j] * factor, own);
        }
    }

    /// Writes the levels nearest to `x[j] * factor` to `nearest[j]` for `from <= j < to`.
    void levels(float[] x, int from, int to, float factor, float[] nearest) {
        int j = from;
        if (WIDE) {
            IntVector bounds = FloatVector.fromArray(FLOATS, thresholds, 0).reinterpretAsInts();
            IntVector table = FloatVector.fromArray(FLOATS, levels, 0).reinterpretAsInts();
            for (; j <= to - LANES; j += LANES) {
                IntVector code = code(FloatVector.fromArray(FLOATS, x, j).mul(factor), bounds, count >> 1);
                code.selectFrom(table).reinterpretAsFloats().intoArray(nearest, j);
            }
        }
        for (; j < to; j++) {
            nearest[j] = levels[Grid.code(x[j] * factor, own)];
        }
    }

    /// The codes of 16 numbers, given the bits of the thresholds and half the number of levels.
    static IntVector code(FloatVector x, IntVector bounds, int half) {
        IntVector code = IntVector.zero(INTS);
        for (int step = half; step > 0; step >>= 1) {
            FloatVector bound = code.add(step - 1).selectFrom(bounds).reinterpretAsFloats();
            code = code.add(step, x.compare(VectorOperators.GT, bound).cast(INTS));
        }
        return code;
    }
}
