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
    static final int STEPS = 8;
    static final long VECTOR_BYTES = 4L * LANES;
    static final long BLOCK_VECTOR_BYTES = STEPS * VECTOR_BYTES;

    Lut4Matrix(LutWeight weight, Tensor codes) {
        super(weight, codes, BITS);
    }

    @Override
    void products(MemorySegment x, int tokens, float[] y, int from, int to) {
        if (tokens <= Lut4Tiles.TOKENS && arrangement.wide()) {
            Lut4Tiles.multiply(this, x, tokens, y, from, to);
        } else {
            super.products(x, tokens, y, from, to);
        }
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
            MemorySegment block = out.asSlice(in * STEPS, BLOCK_VECTOR_BYTES);
            for (int n = 0; n < STEPS; n++) {
                FloatVector w = c.selectFrom(table).reinterpretAsFloats().mul(scale);
                w.intoMemorySegment(block, n * VECTOR_BYTES, ORDER);
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
    void addBlocks(MemorySegment x, float[] scratch, boolean end, int r, int stride, int last) {
        if (arrangement.wide()) {
            addWide(x, scratch, end, r, stride, last);
        } else {
            addNarrow(x, scratch, end, r, stride, last);
        }
    }

    /// A block has one scale, which goes into the table.
    private void addWide(MemorySegment x, float[] scratch, boolean end, int r, int stride, int last) {
        int space = arrangement.scaleSpace();
        int sums = ROWS * space;
        FloatVector l0 = table(r);
        FloatVector l1 = table(Math.min(r + stride, last));
        FloatVector l2 = table(Math.min(r + 2 * stride, last));
        FloatVector l3 = table(Math.min(r + 3 * stride, last));
        FloatVector a0 = FloatVector.fromArray(FLOATS, scratch, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, scratch, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, scratch, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, scratch, sums + 3 * LANES);
        MemorySegment w0 = codes.row(r, end);
        MemorySegment w1 = codes.row(Math.min(r + stride, last), end);
        MemorySegment w2 = codes.row(Math.min(r + 2 * stride, last), end);
        MemorySegment w3 = codes.row(Math.min(r + 3 * stride, last), end);
        int first = codes.first(end);
        MemorySegment v = x.asSlice(4L * arrangement.columnsAt() + first * BLOCK_VECTOR_BYTES);
        long bytes = w0.byteSize();
        for (long at = 0; at < bytes; at += BLOCK_BYTES) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, w0, at, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, w1, at, ORDER);
            IntVector c2 = IntVector.fromMemorySegment(INTS, w2, at, ORDER);
            IntVector c3 = IntVector.fromMemorySegment(INTS, w3, at, ORDER);
            int s = first + (int) (at / BLOCK_BYTES);
            IntVector t0 = l0.mul(scratch[s]).reinterpretAsInts();
            IntVector t1 = l1.mul(scratch[s + space]).reinterpretAsInts();
            IntVector t2 = l2.mul(scratch[s + 2 * space]).reinterpretAsInts();
            IntVector t3 = l3.mul(scratch[s + 3 * space]).reinterpretAsInts();
            for (int n = 0; n < STEPS; n++) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, v, at * STEPS + n * VECTOR_BYTES, ORDER);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().fma(f, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().fma(f, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().fma(f, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().fma(f, a3);
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
    private void addNarrow(MemorySegment x, float[] scratch, boolean end, int r, int stride, int last) {
        int space = arrangement.scaleSpace();
        int sums = ROWS * space;
        IntVector t0 = table(r).reinterpretAsInts();
        IntVector t1 = table(Math.min(r + stride, last)).reinterpretAsInts();
        IntVector t2 = table(Math.min(r + 2 * stride, last)).reinterpretAsInts();
        IntVector t3 = table(Math.min(r + 3 * stride, last)).reinterpretAsInts();
        FloatVector a0 = FloatVector.fromArray(FLOATS, scratch, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, scratch, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, scratch, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, scratch, sums + 3 * LANES);
        MemorySegment w0 = codes.row(r, end);
        MemorySegment w1 = codes.row(Math.min(r + stride, last), end);
        MemorySegment w2 = codes.row(Math.min(r + 2 * stride, last), end);
        MemorySegment w3 = codes.row(Math.min(r + 3 * stride, last), end);
        int first = codes.first(end);
        MemorySegment v = x.asSlice(4L * arrangement.columnsAt() + first * BLOCK_VECTOR_BYTES);
        long bytes = w0.byteSize();
        for (long at = 0; at < bytes; at += BLOCK_BYTES) {
            IntVector c0 = IntVector.fromMemorySegment(INTS, w0, at, ORDER);
            IntVector c1 = IntVector.fromMemorySegment(INTS, w1, at, ORDER);
            IntVector c2 = IntVector.fromMemorySegment(INTS, w2, at, ORDER);
            IntVector c3 = IntVector.fromMemorySegment(INTS, w3, at, ORDER);
            int s = (first + (int) (at / BLOCK_BYTES)) * LANES;
            FloatVector s0 = FloatVector.fromArray(FLOATS, scratch, s);
            FloatVector s1 = FloatVector.fromArray(FLOATS, scratch, s + space);
            FloatVector s2 = FloatVector.fromArray(FLOATS, scratch, s + 2 * space);
            FloatVector s3 = FloatVector.fromArray(FLOATS, scratch, s + 3 * space);
            for (int n = 0; n < STEPS; n++) {
                FloatVector f = FloatVector.fromMemorySegment(FLOATS, v, at * STEPS + n * VECTOR_BYTES, ORDER);
                a0 = c0.selectFrom(t0).reinterpretAsFloats().mul(s0).fma(f, a0);
                a1 = c1.selectFrom(t1).reinterpretAsFloats().mul(s1).fma(f, a1);
                a2 = c2.selectFrom(t2).reinterpretAsFloats().mul(s2).fma(f, a2);
                a3 = c3.selectFrom(t3).reinterpretAsFloats().mul(s3).fma(f, a3);
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
