package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.BITS;
import static io.any4.tinygemm.Simd.BYTES;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.DType;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// An 8-bit integer matrix: every int lane holds four columns.
final class IntMatrix extends GroupedMatrix {
    static final int SPAN = 4;

    private final boolean signed;

    IntMatrix(IntWeight weight) {
        super(
                weight,
                weight.codes(),
                weight.scale(),
                weight.zero(),
                new Arrangement(weight.columns(), SPAN, weight.groupSize(), weight.zero() != null),
                BITS / 8);
        signed = weight.codes().dtype() == DType.I8;
    }

    static boolean fits(IntWeight weight) {
        return Arrangement.fits(weight.columns(), SPAN, weight.groupSize());
    }

    @Override
    void decodeCodes(int row, float[] panel, int at, int scales) {
        long start = row * rowBytes;
        for (int b = 0; b < arrangement.blocks; b++) {
            FloatVector s = arrangement.scale(panel, scales, b);
            IntVector c = load(start, b);
            int to = at + b * arrangement.block;
            if (signed) {
                put(c.lanewise(VectorOperators.LSHL, 24).lanewise(VectorOperators.ASHR, 24), s, panel, to);
                put(c.lanewise(VectorOperators.LSHL, 16).lanewise(VectorOperators.ASHR, 24), s, panel, to + LANES);
                put(c.lanewise(VectorOperators.LSHL, 8).lanewise(VectorOperators.ASHR, 24), s, panel, to + 2 * LANES);
                put(c.lanewise(VectorOperators.ASHR, 24), s, panel, to + 3 * LANES);
            } else {
                put(c.and(0xff), s, panel, to);
                put(c.lanewise(VectorOperators.LSHR, 8).and(0xff), s, panel, to + LANES);
                put(c.lanewise(VectorOperators.LSHR, 16).and(0xff), s, panel, to + 2 * LANES);
                put(c.lanewise(VectorOperators.LSHR, 24), s, panel, to + 3 * LANES);
            }
        }
    }

    private static void put(IntVector integers, FloatVector scale, float[] panel, int at) {
        FloatVector values = (FloatVector) integers.convert(VectorOperators.I2F, 0);
        values.mul(scale).intoArray(panel, at);
    }

    private IntVector load(long start, int block) {
        long at = start + (long) block * arrangement.block;
        if (block < full) {
            return IntVector.fromMemorySegment(INTS, codes, at, ORDER);
        }
        int left = (int) (start + rowBytes - at);
        return ByteVector.fromMemorySegment(BYTES, codes, at, ORDER, BYTES.indexInRange(0, left))
                .reinterpretAsInts();
    }
}
