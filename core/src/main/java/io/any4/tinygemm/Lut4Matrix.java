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
import jdk.incubator.vector.VectorOperators;

/// A table weight with four bits per code, for 512-bit vectors: a block is 64 bytes, 128 columns, eight steps.
final class Lut4Matrix extends LutMatrix {
    static final int BITS = 4;
    static final int STEPS = 8;
    static final long BLOCK_VECTOR_BYTES = STEPS * VECTOR_BYTES;

    /// Not final, so that the compiler does not know the step of the inner loops: it would unroll them and then keep
    /// more vectors than there are registers.
    private static long vectorBytes = VECTOR_BYTES;

    Lut4Matrix(LutWeight weight, Tensor codes, Team team) {
        super(weight, codes, BITS, team);
    }

    @Override
    void products(long x, int tokens, float[] y, int from, int to) {
        if (tokens < Lut4Tiles.TILE) {
            oneByOne(x, tokens, y, from, to);
        } else if (tokens <= Lut4Tiles.TOKENS && arrangement.wide()) {
            Lut4Tiles.multiply(this, x, tokens, y, from, to);
        } else {
            super.products(x, tokens, y, from, to);
        }
    }

    @Override
    void decodeCodes(int row, long out, float[] scales) {
        IntVector table = IntVector.fromMemorySegment(INTS, ALL, table(row) & ADDRESS, ORDER);
        long in = packed.codes(row);
        long to = out;
        long step = vectorBytes;
        for (int block = 0; block < arrangement.blocks; block++) {
            IntVector c = IntVector.fromMemorySegment(INTS, ALL, in & ADDRESS, ORDER);
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, block * LANES);
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector w = c.selectFrom(table).reinterpretAsFloats().mul(scale);
                w.intoMemorySegment(ALL, (to + i) & ADDRESS, ORDER);
                c = c.lanewise(VectorOperators.LSHR, BITS);
            }
            in += BLOCK_BYTES;
            to += BLOCK_VECTOR_BYTES;
        }
    }

    @Override
    void addBlocks(long x, long sums, int r, int stride, int last) {
        if (arrangement.wide()) {
            addWide(x, sums, r, stride, last);
        } else {
            addNarrow(x, sums, r, stride, last);
        }
    }

    /// A block has one scale, which goes into the table.
    private void addWide(long x, long sums, int r, int stride, int last) {
        int r1 = Math.min(r + stride, last);
        int r2 = Math.min(r + 2 * stride, last);
        int r3 = Math.min(r + 3 * stride, last);
        FloatVector l0 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r) & ADDRESS, ORDER);
        FloatVector l1 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r1) & ADDRESS, ORDER);
        FloatVector l2 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r2) & ADDRESS, ORDER);
        FloatVector l3 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r3) & ADDRESS, ORDER);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.codes(r);
        long w1 = packed.codes(r1);
        long w2 = packed.codes(r2);
        long w3 = packed.codes(r3);
        int blocks = arrangement.blocks;
        long s0 = packed.scales(r);
        long s1 = packed.scales(r1);
        long s2 = packed.scales(r2);
        long s3 = packed.scales(r3);
        long v = x;
        long step = vectorBytes;
        for (int block = 0; block < blocks; block++) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, ALL, w0 & ADDRESS, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, ALL, w1 & ADDRESS, ORDER);
            IntVector c2 = IntVector.fromMemorySegment(INTS, ALL, w2 & ADDRESS, ORDER);
            IntVector c3 = IntVector.fromMemorySegment(INTS, ALL, w3 & ADDRESS, ORDER);
            IntVector t0 = l0.mul(ALL.get(Tensor.FLOAT, s0 & ADDRESS)).reinterpretAsInts();
            IntVector t1 = l1.mul(ALL.get(Tensor.FLOAT, s1 & ADDRESS)).reinterpretAsInts();
            IntVector t2 = l2.mul(ALL.get(Tensor.FLOAT, s2 & ADDRESS)).reinterpretAsInts();
            IntVector t3 = l3.mul(ALL.get(Tensor.FLOAT, s3 & ADDRESS)).reinterpretAsInts();
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, ALL, (v + i) & ADDRESS, ORDER);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().fma(f, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().fma(f, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().fma(f, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().fma(f, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
                c2 = c2.lanewise(VectorOperators.LSHR, BITS);
                c3 = c3.lanewise(VectorOperators.LSHR, BITS);
            }
            w0 += BLOCK_BYTES;
            w1 += BLOCK_BYTES;
            w2 += BLOCK_BYTES;
            w3 += BLOCK_BYTES;
            s0 += 4;
            s1 += 4;
            s2 += 4;
            s3 += 4;
            v += BLOCK_VECTOR_BYTES;
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }

    /// The lanes of a block have scales of their own, which multiply what the lookup yields.
    private void addNarrow(long x, long sums, int r, int stride, int last) {
        int r1 = Math.min(r + stride, last);
        int r2 = Math.min(r + 2 * stride, last);
        int r3 = Math.min(r + 3 * stride, last);
        IntVector t0 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r) & ADDRESS, ORDER)
                .reinterpretAsInts();
        IntVector t1 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r1) & ADDRESS, ORDER)
                .reinterpretAsInts();
        IntVector t2 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r2) & ADDRESS, ORDER)
                .reinterpretAsInts();
        IntVector t3 = FloatVector.fromMemorySegment(FLOATS, ALL, table(r3) & ADDRESS, ORDER)
                .reinterpretAsInts();
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
        long step = vectorBytes;
        for (int block = 0; block < blocks; block++) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, ALL, w0 & ADDRESS, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, ALL, w1 & ADDRESS, ORDER);
            IntVector c2 = IntVector.fromMemorySegment(INTS, ALL, w2 & ADDRESS, ORDER);
            IntVector c3 = IntVector.fromMemorySegment(INTS, ALL, w3 & ADDRESS, ORDER);
            FloatVector g0 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s0 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g1 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s1 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g2 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s2 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            FloatVector g3 = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, s3 & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, ALL, (v + i) & ADDRESS, ORDER);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().mul(g0).fma(f, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().mul(g1).fma(f, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().mul(g2).fma(f, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().mul(g3).fma(f, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
                c2 = c2.lanewise(VectorOperators.LSHR, BITS);
                c3 = c3.lanewise(VectorOperators.LSHR, BITS);
            }
            w0 += BLOCK_BYTES;
            w1 += BLOCK_BYTES;
            w2 += BLOCK_BYTES;
            w3 += BLOCK_BYTES;
            s0 += scaleBytes;
            s1 += scaleBytes;
            s2 += scaleBytes;
            s3 += scaleBytes;
            v += BLOCK_VECTOR_BYTES;
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
