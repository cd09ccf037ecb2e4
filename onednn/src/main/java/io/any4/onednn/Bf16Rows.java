package io.any4.onednn;

import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;
import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.LSHR;

import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/// Rounds floats to bf16, to the nearest, halves to the even one. The processors this runs on have 512-bit vectors.
final class Bf16Rows {
    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_512;
    private static final VectorSpecies<Short> SHORTS = ShortVector.SPECIES_256;

    private Bf16Rows() {}

    /// Rounds `count` floats from byte `from` of `floats` on to byte `to` of `out` on.
    static void round(MemorySegment floats, long from, long count, MemorySegment out, long to) {
        long whole = count / INTS.length() * INTS.length();
        for (long i = 0; i < whole; i += INTS.length()) {
            IntVector bits = IntVector.fromMemorySegment(INTS, floats, from + 4 * i, LITTLE_ENDIAN);
            IntVector odd = bits.lanewise(LSHR, 16).and(1);
            IntVector rounded = bits.add(0x7fff).add(odd).lanewise(LSHR, 16);
            ((ShortVector) rounded.convertShape(I2S, SHORTS, 0)).intoMemorySegment(out, to + 2 * i, LITTLE_ENDIAN);
        }
        for (long i = whole; i < count; i++) {
            int bits = floats.get(JAVA_INT_UNALIGNED, from + 4 * i);
            short rounded = (short) ((bits + 0x7fff + (bits >>> 16 & 1)) >>> 16);
            out.set(JAVA_SHORT_UNALIGNED, to + 2 * i, rounded);
        }
    }
}
