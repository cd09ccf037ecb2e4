package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.F16_BIAS;
import static io.any4.tinygemm.Simd.F16_BITS;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.SHORTS;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// The [PlaneMatrix] of 256 bits: bytes are widened to shorts in order, so an int lane holds two neighbours.
final class Plane256Matrix extends PlaneMatrix {
    Plane256Matrix(LutWeight weight, Tensor codes, int bits, Team team) {
        super(weight, codes, bits, team);
    }

    @Override
    void decodeCodes(int row, long out, float[] scales) {
        switch (entries) {
            case BF16 -> decodeBf16(row, out, scales);
            case F16 -> decodeF16(row, out, scales);
            case F32 -> decodeF32(row, out, scales);
        }
    }

    private void decodeBf16(int row, long out, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        long in = packed.codes(row);
        int blocks = arrangement.blocks;
        int codesPerByte = 8 / bits;
        long second = codesPerByte * VECTOR_BYTES;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, b * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (in + (long) b * BLOCK_BYTES) & ADDRESS, ORDER);
            long to = out + 2 * second * b;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                FloatVector even = Simd.lowBf16(upper);
                FloatVector odd = Simd.highBf16(upper);
                even.mul(scale).intoMemorySegment(ALL, to & ADDRESS, ORDER);
                odd.mul(scale).intoMemorySegment(ALL, (to + second) & ADDRESS, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
        }
    }

    private void decodeF16(int row, long out, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        long in = packed.codes(row);
        int blocks = arrangement.blocks;
        int codesPerByte = 8 / bits;
        long second = codesPerByte * VECTOR_BYTES;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, b * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (in + (long) b * BLOCK_BYTES) & ADDRESS, ORDER);
            long to = out + 2 * second * b;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                FloatVector even = Simd.lowF16(upper);
                FloatVector odd = Simd.highF16(upper);
                even.mul(scale).intoMemorySegment(ALL, to & ADDRESS, ORDER);
                odd.mul(scale).intoMemorySegment(ALL, (to + second) & ADDRESS, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
        }
    }

    private void decodeF32(int row, long out, float[] scales) {
        ByteVector p0 = plane(row, 0);
        ByteVector p1 = plane(row, 1);
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        long in = packed.codes(row);
        int blocks = arrangement.blocks;
        int codesPerByte = 8 / bits;
        long second = codesPerByte * VECTOR_BYTES;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, b * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (in + (long) b * BLOCK_BYTES) & ADDRESS, ORDER);
            long to = out + 2 * second * b;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                IntVector lower = pairs(index.selectFrom(p1), index.selectFrom(p0));
                FloatVector even =
                        upper.lanewise(LSHL, 16).or(lower.and(0xffff)).reinterpretAsFloats();
                FloatVector odd =
                        upper.and(0xffff0000).or(lower.lanewise(LSHR, 16)).reinterpretAsFloats();
                even.mul(scale).intoMemorySegment(ALL, to & ADDRESS, ORDER);
                odd.mul(scale).intoMemorySegment(ALL, (to + second) & ADDRESS, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
        }
    }

    @Override
    void addBf16(long x, float[] sums, int r0, int r1, int at) {
        ByteVector p0 = plane(r0, 2);
        ByteVector q0 = plane(r0, 3);
        ByteVector p1 = plane(r1, 2);
        ByteVector q1 = plane(r1, 3);
        FloatVector a0 = FloatVector.fromArray(FLOATS, sums, at);
        FloatVector a1 = FloatVector.fromArray(FLOATS, sums, at + LANES);
        long w0 = packed.codes(r0);
        long w1 = packed.codes(r1);
        int blocks = arrangement.blocks;
        IntVector lanes = arrangement.laneScales();
        long scaleBytes = 4L * arrangement.scalesPerBlock();
        long s0 = packed.scales(r0);
        long s1 = packed.scales(r1);
        long v = x;
        for (int block = 0; block < blocks; block++) {
            long u = (v + block * BLOCK_VECTOR_BYTES) & ADDRESS;
            FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, u, ORDER);
            FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, u + VECTOR_BYTES, ORDER);
            FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 2 * VECTOR_BYTES, ORDER);
            FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 3 * VECTOR_BYTES, ORDER);
            FloatVector scale = lanes.selectFrom(
                            IntVector.fromMemorySegment(INTS, ALL, (s0 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (w0 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            ShortVector high = (ShortVector) c.selectFrom(q0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            ShortVector low = (ShortVector) c.selectFrom(p0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            IntVector k = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = (ShortVector) c.selectFrom(q0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            low = (ShortVector) c.selectFrom(p0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            IntVector l = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            a0 = k.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x0, a0);
            a0 = l.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x1, a0);
            a0 = k.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x2, a0);
            a0 = l.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x3, a0);
            scale = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, (s1 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            c = ByteVector.fromMemorySegment(CODES, ALL, (w1 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            high = (ShortVector) c.selectFrom(q1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            low = (ShortVector) c.selectFrom(p1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            k = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = (ShortVector) c.selectFrom(q1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            low = (ShortVector) c.selectFrom(p1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            l = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            a1 = k.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x0, a1);
            a1 = l.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).fma(x1, a1);
            a1 = k.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x2, a1);
            a1 = l.and(0xffff0000).reinterpretAsFloats().mul(scale).fma(x3, a1);
        }
        a0.intoArray(sums, at);
        a1.intoArray(sums, at + LANES);
    }

    @Override
    void addF16(long x, float[] sums, int r0, int r1, int at) {
        ByteVector p0 = plane(r0, 2);
        ByteVector q0 = plane(r0, 3);
        ByteVector p1 = plane(r1, 2);
        ByteVector q1 = plane(r1, 3);
        FloatVector a0 = FloatVector.fromArray(FLOATS, sums, at);
        FloatVector a1 = FloatVector.fromArray(FLOATS, sums, at + LANES);
        long w0 = packed.codes(r0);
        long w1 = packed.codes(r1);
        int blocks = arrangement.blocks;
        IntVector lanes = arrangement.laneScales();
        long scaleBytes = 4L * arrangement.scalesPerBlock();
        long s0 = packed.scales(r0);
        long s1 = packed.scales(r1);
        long v = x;
        for (int block = 0; block < blocks; block++) {
            long u = (v + block * BLOCK_VECTOR_BYTES) & ADDRESS;
            FloatVector x0 = FloatVector.fromMemorySegment(FLOATS, ALL, u, ORDER);
            FloatVector x1 = FloatVector.fromMemorySegment(FLOATS, ALL, u + VECTOR_BYTES, ORDER);
            FloatVector x2 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 2 * VECTOR_BYTES, ORDER);
            FloatVector x3 = FloatVector.fromMemorySegment(FLOATS, ALL, u + 3 * VECTOR_BYTES, ORDER);
            FloatVector scale = lanes.selectFrom(
                            IntVector.fromMemorySegment(INTS, ALL, (s0 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            ByteVector c = ByteVector.fromMemorySegment(CODES, ALL, (w0 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            ShortVector high = (ShortVector) c.selectFrom(q0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            ShortVector low = (ShortVector) c.selectFrom(p0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            IntVector k = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = (ShortVector) c.selectFrom(q0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            low = (ShortVector) c.selectFrom(p0).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            IntVector l = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            a0 = k.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x0, a0);
            a0 = l.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x1, a0);
            a0 = k.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x2, a0);
            a0 = l.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x3, a0);
            scale = lanes.selectFrom(IntVector.fromMemorySegment(INTS, ALL, (s1 + block * scaleBytes) & ADDRESS, ORDER))
                    .reinterpretAsFloats();
            c = ByteVector.fromMemorySegment(CODES, ALL, (w1 + (long) block * BLOCK_BYTES) & ADDRESS, ORDER);
            high = (ShortVector) c.selectFrom(q1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            low = (ShortVector) c.selectFrom(p1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            k = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            c = c.reinterpretAsInts().lanewise(LSHR, 4).reinterpretAsBytes();
            high = (ShortVector) c.selectFrom(q1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            low = (ShortVector) c.selectFrom(p1).convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
            l = high.lanewise(LSHL, 8).or(low).reinterpretAsInts();
            a1 = k.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x0, a1);
            a1 = l.lanewise(LSHL, 16)
                    .lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x1, a1);
            a1 = k.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x2, a1);
            a1 = l.lanewise(ASHR, 3)
                    .and(F16_BITS)
                    .reinterpretAsFloats()
                    .mul(F16_BIAS)
                    .mul(scale)
                    .fma(x3, a1);
        }
        a0.intoArray(sums, at);
        a1.intoArray(sums, at + LANES);
    }

    /// Sixteen-bit halves of 16 entries, two to a lane.
    private static IntVector pairs(ByteVector high, ByteVector low) {
        ShortVector upper = (ShortVector) high.convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
        ShortVector lower = (ShortVector) low.convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
        return upper.lanewise(LSHL, 8).or(lower).reinterpretAsInts();
    }
}
