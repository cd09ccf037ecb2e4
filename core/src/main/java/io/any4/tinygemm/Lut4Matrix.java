package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// A table weight with four bits per code, for 512-bit vectors: a block is 64 bytes, 128 columns, eight steps.
final class Lut4Matrix extends LutMatrix {
    static final int BITS = 4;
    private static final int STEPS = 8;
    private static final long VECTOR_BYTES = 4L * LANES;
    private static final long BLOCK_VECTOR_BYTES = STEPS * VECTOR_BYTES;

    Lut4Matrix(LutWeight weight, Tensor codes) {
        super(weight, codes, BITS);
    }

    @Override
    void decodeCodes(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        IntVector table = table(row).reinterpretAsInts();
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        MemorySegment out = panel.asSlice(at + first * BLOCK_VECTOR_BYTES);
        long bytes = memory.byteSize();
        for (long in = 0; in < bytes; in += BLOCK_BYTES) {
            IntVector c = IntVector.fromMemorySegment(INTS, memory, in, ORDER);
            int b = first + (int) (in / BLOCK_BYTES);
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, b * LANES);
            for (int n = 0; n < STEPS; n++) {
                FloatVector w = c.selectFrom(table).reinterpretAsFloats().mul(scale);
                w.intoMemorySegment(out, in * STEPS + n * VECTOR_BYTES, ORDER);
                c = c.lanewise(VectorOperators.LSHR, BITS);
            }
        }
    }

    @Override
    void spread(float[] scales, int at) {
        if (arrangement.wide()) {
            arrangement.spreadOverBlocks(scales, at);
        } else {
            arrangement.spreadOverLanes(scales, at);
        }
    }

    @Override
    void addBlocks(MemorySegment x, float[] scratch, boolean end, int r0, int r1, int r2, int r3) {
        if (arrangement.wide()) {
            addWide(x, scratch, end, r0, r1, r2, r3);
        } else {
            addNarrow(x, scratch, end, r0, r1, r2, r3);
        }
    }

    /// A block has one scale, which goes into the table.
    private void addWide(MemorySegment x, float[] scratch, boolean end, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        int sums = 4 * space;
        FloatVector l0 = table(r0);
        FloatVector l1 = table(r1);
        FloatVector l2 = table(r2);
        FloatVector l3 = table(r3);
        FloatVector a0 = FloatVector.fromArray(FLOATS, scratch, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, scratch, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, scratch, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, scratch, sums + 3 * LANES);
        MemorySegment w0 = codes.row(r0, end);
        MemorySegment w1 = codes.row(r1, end);
        MemorySegment w2 = codes.row(r2, end);
        MemorySegment w3 = codes.row(r3, end);
        int first = codes.first(end);
        MemorySegment v = x.asSlice(4L * arrangement.columnsAt() + first * BLOCK_VECTOR_BYTES);
        long bytes = w0.byteSize();
        for (long at = 0; at < bytes; at += BLOCK_BYTES) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, w0, at, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, w1, at, ORDER);
            IntVector c2 = IntVector.fromMemorySegment(INTS, w2, at, ORDER);
            IntVector c3 = IntVector.fromMemorySegment(INTS, w3, at, ORDER);
            int b = first + (int) (at / BLOCK_BYTES);
            IntVector t0 = l0.mul(scratch[b]).reinterpretAsInts();
            IntVector t1 = l1.mul(scratch[space + b]).reinterpretAsInts();
            IntVector t2 = l2.mul(scratch[2 * space + b]).reinterpretAsInts();
            IntVector t3 = l3.mul(scratch[3 * space + b]).reinterpretAsInts();
            for (int n = 0; n < STEPS; n++) {
                FloatVector u = FloatVector.fromMemorySegment(FLOATS, v, at * STEPS + n * VECTOR_BYTES, ORDER);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().fma(u, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().fma(u, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().fma(u, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().fma(u, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
                c2 = c2.lanewise(VectorOperators.LSHR, BITS);
                c3 = c3.lanewise(VectorOperators.LSHR, BITS);
            }
        }
        a0.intoArray(scratch, sums);
        a1.intoArray(scratch, sums + LANES);
        a2.intoArray(scratch, sums + 2 * LANES);
        a3.intoArray(scratch, sums + 3 * LANES);
    }

    /// The lanes of a block have scales of their own, which multiply what the lookup yields.
    private void addNarrow(MemorySegment x, float[] scratch, boolean end, int r0, int r1, int r2, int r3) {
        int space = arrangement.scaleSpace();
        int sums = 4 * space;
        IntVector t0 = table(r0).reinterpretAsInts();
        IntVector t1 = table(r1).reinterpretAsInts();
        IntVector t2 = table(r2).reinterpretAsInts();
        IntVector t3 = table(r3).reinterpretAsInts();
        FloatVector a0 = FloatVector.fromArray(FLOATS, scratch, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, scratch, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, scratch, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, scratch, sums + 3 * LANES);
        MemorySegment w0 = codes.row(r0, end);
        MemorySegment w1 = codes.row(r1, end);
        MemorySegment w2 = codes.row(r2, end);
        MemorySegment w3 = codes.row(r3, end);
        int first = codes.first(end);
        MemorySegment v = x.asSlice(4L * arrangement.columnsAt() + first * BLOCK_VECTOR_BYTES);
        long bytes = w0.byteSize();
        for (long at = 0; at < bytes; at += BLOCK_BYTES) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, w0, at, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, w1, at, ORDER);
            IntVector c2 = IntVector.fromMemorySegment(INTS, w2, at, ORDER);
            IntVector c3 = IntVector.fromMemorySegment(INTS, w3, at, ORDER);
            int b = first + (int) (at / BLOCK_BYTES);
            FloatVector s0 = FloatVector.fromArray(FLOATS, scratch, b * LANES);
            FloatVector s1 = FloatVector.fromArray(FLOATS, scratch, space + b * LANES);
            FloatVector s2 = FloatVector.fromArray(FLOATS, scratch, 2 * space + b * LANES);
            FloatVector s3 = FloatVector.fromArray(FLOATS, scratch, 3 * space + b * LANES);
            for (int n = 0; n < STEPS; n++) {
                FloatVector u = FloatVector.fromMemorySegment(FLOATS, v, at * STEPS + n * VECTOR_BYTES, ORDER);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().mul(s0).fma(u, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().mul(s1).fma(u, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().mul(s2).fma(u, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().mul(s3).fma(u, a3);
                c0 = c0.lanewise(VectorOperators.LSHR, BITS);
                c1 = c1.lanewise(VectorOperators.LSHR, BITS);
                c2 = c2.lanewise(VectorOperators.LSHR, BITS);
                c3 = c3.lanewise(VectorOperators.LSHR, BITS);
            }
        }
        a0.intoArray(scratch, sums);
        a1.intoArray(scratch, sums + LANES);
        a2.intoArray(scratch, sums + 2 * LANES);
        a3.intoArray(scratch, sums + 3 * LANES);
    }
}
