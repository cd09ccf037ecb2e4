package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;

import io.any4.tensor.DType;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// An 8-bit integer matrix: every int lane holds four columns.
final class IntMatrix extends GroupedMatrix {
    static final int SPAN = 4;
    private static final int BLOCK_BYTES = SPAN * LANES;

    /// Not final, so that the compiler does not know the step of the inner loop and leaves it as it is.
    private static long vectorBytes = VECTOR_BYTES;

    private final boolean signed;

    IntMatrix(IntWeight weight, Team team) {
        super(
                weight,
                weight.codes(),
                weight.scale(),
                weight.zero(),
                new float[0],
                new Arrangement(weight.columns(), SPAN, weight.groupSize(), weight.zero() != null),
                BLOCK_BYTES,
                team);
        signed = weight.codes().dtype() == DType.I8;
    }

    static boolean fits(IntWeight weight) {
        return Arrangement.fits(weight.columns(), SPAN, weight.groupSize());
    }

    @Override
    void decodeCodes(int row, long out, float[] scales) {
        long in = packed.codes(row);
        long to = out;
        long step = vectorBytes;
        for (int block = 0; block < arrangement.blocks; block++) {
            IntVector c = IntVector.fromMemorySegment(INTS, ALL, in & ADDRESS, ORDER);
            FloatVector g = FloatVector.fromArray(FLOATS, scales, block * LANES);
            for (long i = 0; i < SPAN * VECTOR_BYTES; i += step) {
                IntVector top = c.lanewise(VectorOperators.LSHL, 24);
                IntVector value =
                        signed ? top.lanewise(VectorOperators.ASHR, 24) : top.lanewise(VectorOperators.LSHR, 24);
                FloatVector w = (FloatVector) value.convert(VectorOperators.I2F, 0);
                w.mul(g).intoMemorySegment(ALL, (to + i) & ADDRESS, ORDER);
                c = c.lanewise(VectorOperators.LSHR, 8);
            }
            in += BLOCK_BYTES;
            to += SPAN * VECTOR_BYTES;
        }
    }

    @Override
    void addBlocks(long x, long sums, int r, int stride, int last) {
        int r1 = Math.min(r + stride, last);
        int r2 = Math.min(r + 2 * stride, last);
        int r3 = Math.min(r + 3 * stride, last);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.codes(r);
        long w1 = packed.codes(r1);
        long w2 = packed.codes(r2);
        long w3 = packed.codes(r3);
        int blocks = arrangement.blocks;
        IntVector lanes = arrangement.laneScales();
        long scaleBytes = 4L * arrangement.scalesPerBlock();
        long s0 = packed.scales(r);
        long s1 = packed.scales(r1);
        long s2 = packed.scales(r2);
        long s3 = packed.scales(r3);
        long v = x;
        // what is below zero in a signed byte is flipped up and taken off again as a float
        IntVector flip = IntVector.broadcast(INTS, signed ? 0x80808080 : 0);
        FloatVector offset = FloatVector.broadcast(FLOATS, signed ? 128f : 0f);
        long step = vectorBytes;
        for (int block = 0; block < blocks; block++) {
            IntVector c0 =
                    IntVector.fromMemorySegment(INTS, ALL, w0 & ADDRESS, ORDER).lanewise(VectorOperators.XOR, flip);
            IntVector c1 =
                    IntVector.fromMemorySegment(INTS, ALL, w1 & ADDRESS, ORDER).lanewise(VectorOperators.XOR, flip);
            IntVector c2 =
                    IntVector.fromMemorySegment(INTS, ALL, w2 & ADDRESS, ORDER).lanewise(VectorOperators.XOR, flip);
            IntVector c3 =
                    IntVector.fromMemorySegment(INTS, ALL, w3 & ADDRESS, ORDER).lanewise(VectorOperators.XOR, flip);
            FloatVector g0 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s0 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g1 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s1 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g2 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s2 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g3 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s3 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            for (long i = 0; i < SPAN * VECTOR_BYTES; i += step) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, ALL, (v + i) & ADDRESS, ORDER);
                a0 = ((FloatVector) c0.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(g0)
                        .fma(f, a0);
                a1 = ((FloatVector) c1.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(g1)
                        .fma(f, a1);
                a2 = ((FloatVector) c2.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(g2)
                        .fma(f, a2);
                a3 = ((FloatVector) c3.and(0xff).convert(VectorOperators.I2F, 0))
                        .sub(offset)
                        .mul(g3)
                        .fma(f, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, 8);
                c1 = c1.lanewise(VectorOperators.LSHR, 8);
                c2 = c2.lanewise(VectorOperators.LSHR, 8);
                c3 = c3.lanewise(VectorOperators.LSHR, 8);
            }
            w0 += BLOCK_BYTES;
            w1 += BLOCK_BYTES;
            w2 += BLOCK_BYTES;
            w3 += BLOCK_BYTES;
            s0 += scaleBytes;
            s1 += scaleBytes;
            s2 += scaleBytes;
            s3 += scaleBytes;
            v += SPAN * VECTOR_BYTES;
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
