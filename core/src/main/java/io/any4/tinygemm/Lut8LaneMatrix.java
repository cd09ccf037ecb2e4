package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;

/// A table weight for 256-bit vectors (AVX2), where a row's table is two registers of eight floats: a lookup permutes
/// both by a code's lower three bits and chooses by its fourth.
///
/// Codes have four bits, those of two bits too: a block is 32 bytes, 64 columns, eight steps.
final class Lut8LaneMatrix extends LutMatrix {
    private static final int BITS = 4;
    private static final int STEPS = 8;
    private static final long BLOCK_VECTOR_BYTES = STEPS * VECTOR_BYTES;

    /// Not final, so that the compiler does not know the step of the inner loops and leaves them as they are.
    private static long vectorBytes = VECTOR_BYTES;

    Lut8LaneMatrix(LutWeight weight, Tensor codes, Team team) {
        super(weight, codes, BITS, team);
    }

    @Override
    void decodeCodes(int row, long out, float[] scales) {
        long table = table(row);
        IntVector lower = IntVector.fromMemorySegment(INTS, ALL, table & ADDRESS, ORDER);
        IntVector upper = IntVector.fromMemorySegment(INTS, ALL, (table + VECTOR_BYTES) & ADDRESS, ORDER);
        long in = packed.codes(row);
        long to = out;
        long step = vectorBytes;
        for (int block = 0; block < arrangement.blocks; block++) {
            IntVector c = IntVector.fromMemorySegment(INTS, ALL, in & ADDRESS, ORDER);
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, block * LANES);
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                VectorMask<Integer> fourth =
                        c.lanewise(VectorOperators.LSHL, 28).compare(VectorOperators.LT, 0);
                IntVector w = c.selectFrom(lower).blend(c.selectFrom(upper), fourth);
                w.reinterpretAsFloats().mul(scale).intoMemorySegment(ALL, (to + i) & ADDRESS, ORDER);
                c = c.lanewise(VectorOperators.LSHR, BITS);
            }
            in += VECTOR_BYTES;
            to += BLOCK_VECTOR_BYTES;
        }
    }

    /// Two rows at a time fill sixteen registers.
    @Override
    void addBlocks(long x, long sums, int r, int stride, int last) {
        int r1 = Math.min(r + stride, last);
        int r2 = Math.min(r + 2 * stride, last);
        int r3 = Math.min(r + 3 * stride, last);
        if (arrangement.wide()) {
            addWide(x, sums, r, r1);
            addWide(x, sums + 2 * VECTOR_BYTES, r2, r3);
        } else {
            addNarrow(x, sums, r, r1);
            addNarrow(x, sums + 2 * VECTOR_BYTES, r2, r3);
        }
    }

    /// Adds the blocks of two rows, which have one scale each, to their sums at address `sums`. The scale goes into
    /// the table.
    private void addWide(long x, long sums, int r0, int r1) {
        long l0 = table(r0);
        long l1 = table(r1);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.codes(r0);
        long w1 = packed.codes(r1);
        long s0 = packed.scales(r0);
        long s1 = packed.scales(r1);
        int blocks = arrangement.blocks;
        long v = x;
        long step = vectorBytes;
        for (int block = 0; block < blocks; block++) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, ALL, w0 & ADDRESS, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, ALL, w1 & ADDRESS, ORDER);
            float g0 = ALL.get(Tensor.FLOAT, s0 & ADDRESS);
            float g1 = ALL.get(Tensor.FLOAT, s1 & ADDRESS);
            IntVector t0 = FloatVector.fromMemorySegment(FLOATS, ALL, l0 & ADDRESS, ORDER)
                    .mul(g0)
                    .reinterpretAsInts();
            IntVector u0 = FloatVector.fromMemorySegment(FLOATS, ALL, (l0 + VECTOR_BYTES) & ADDRESS, ORDER)
                    .mul(g0)
                    .reinterpretAsInts();
            IntVector t1 = FloatVector.fromMemorySegment(FLOATS, ALL, l1 & ADDRESS, ORDER)
                    .mul(g1)
                    .reinterpretAsInts();
            IntVector u1 = FloatVector.fromMemorySegment(FLOATS, ALL, (l1 + VECTOR_BYTES) & ADDRESS, ORDER)
                    .mul(g1)
                    .reinterpretAsInts();
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, ALL, (v + i) & ADDRESS, ORDER);
                VectorMask<Integer> m0 = c0.lanewise(VectorOperators.LSHL, 28).compare(VectorOperators.LT, 0);
                VectorMask<Integer> m1 = c1.lanewise(VectorOperators.LSHL, 28).compare(VectorOperators.LT, 0);
                a0 = c0.selectFrom(t0)
                        .blend(c0.selectFrom(u0), m0)
                        .reinterpretAsFloats()
                        .fma(f, a0);
                a1 = c1.selectFrom(t1)
                        .blend(c1.selectFrom(u1), m1)
                        .reinterpretAsFloats()
                        .fma(f, a1);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
            }
            w0 += VECTOR_BYTES;
            w1 += VECTOR_BYTES;
            s0 += 4;
            s1 += 4;
            v += BLOCK_VECTOR_BYTES;
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
    }

    /// The same where the lanes of a block have scales of their own, which multiply what the lookup yields.
    private void addNarrow(long x, long sums, int r0, int r1) {
        long l0 = table(r0);
        long l1 = table(r1);
        IntVector t0 = IntVector.fromMemorySegment(INTS, ALL, l0 & ADDRESS, ORDER);
        IntVector u0 = IntVector.fromMemorySegment(INTS, ALL, (l0 + VECTOR_BYTES) & ADDRESS, ORDER);
        IntVector t1 = IntVector.fromMemorySegment(INTS, ALL, l1 & ADDRESS, ORDER);
        IntVector u1 = IntVector.fromMemorySegment(INTS, ALL, (l1 + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.codes(r0);
        long w1 = packed.codes(r1);
        IntVector lanes = arrangement.laneScales();
        long scaleBytes = 4L * arrangement.scalesPerBlock();
        long s0 = packed.scales(r0);
        long s1 = packed.scales(r1);
        int blocks = arrangement.blocks;
        long v = x;
        long step = vectorBytes;
        for (int block = 0; block < blocks; block++) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, ALL, w0 & ADDRESS, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, ALL, w1 & ADDRESS, ORDER);
            FloatVector g0 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s0 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g1 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s1 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, ALL, (v + i) & ADDRESS, ORDER);
                VectorMask<Integer> m0 = c0.lanewise(VectorOperators.LSHL, 28).compare(VectorOperators.LT, 0);
                VectorMask<Integer> m1 = c1.lanewise(VectorOperators.LSHL, 28).compare(VectorOperators.LT, 0);
                a0 = c0.selectFrom(t0)
                        .blend(c0.selectFrom(u0), m0)
                        .reinterpretAsFloats()
                        .mul(g0)
                        .fma(f, a0);
                a1 = c1.selectFrom(t1)
                        .blend(c1.selectFrom(u1), m1)
                        .reinterpretAsFloats()
                        .mul(g1)
                        .fma(f, a1);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
            }
            w0 += VECTOR_BYTES;
            w1 += VECTOR_BYTES;
            s0 += scaleBytes;
            s1 += scaleBytes;
            v += BLOCK_VECTOR_BYTES;
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
