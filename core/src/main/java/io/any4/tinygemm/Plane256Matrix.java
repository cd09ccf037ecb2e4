package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.SHORTS;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2S;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// The [PlaneMatrix] of 256 bits: bytes are widened to shorts in order, so an int lane holds two neighbours.
final class Plane256Matrix extends PlaneMatrix {
    Plane256Matrix(LutWeight weight, Tensor codes, int bits) {
        super(weight, codes, bits);
    }

    @Override
    void decodeCodes(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        switch (entries) {
            case BF16 -> decodeBf16(row, end, panel, at, scales);
            case F16 -> decodeF16(row, end, panel, at, scales);
            case F32 -> decodeF32(row, end, panel, at, scales);
        }
    }

    private void decodeBf16(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        int blocks = (int) (memory.byteSize() / BLOCK_BYTES);
        int codesPerByte = 8 / bits;
        long second = codesPerByte * VECTOR_BYTES;
        MemorySegment out = panel.asSlice(at + 2 * second * first);
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, (first + b) * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, memory, (long) b * BLOCK_BYTES, ORDER);
            long to = 2 * second * b;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                FloatVector even = Simd.lowBf16(upper);
                FloatVector odd = Simd.highBf16(upper);
                even.mul(scale).intoMemorySegment(out, to, ORDER);
                odd.mul(scale).intoMemorySegment(out, to + second, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
        }
    }

    private void decodeF16(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        int blocks = (int) (memory.byteSize() / BLOCK_BYTES);
        int codesPerByte = 8 / bits;
        long second = codesPerByte * VECTOR_BYTES;
        MemorySegment out = panel.asSlice(at + 2 * second * first);
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, (first + b) * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, memory, (long) b * BLOCK_BYTES, ORDER);
            long to = 2 * second * b;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                FloatVector even = Simd.lowF16(upper);
                FloatVector odd = Simd.highF16(upper);
                even.mul(scale).intoMemorySegment(out, to, ORDER);
                odd.mul(scale).intoMemorySegment(out, to + second, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
        }
    }

    private void decodeF32(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        ByteVector p0 = plane(row, 0);
        ByteVector p1 = plane(row, 1);
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        int blocks = (int) (memory.byteSize() / BLOCK_BYTES);
        int codesPerByte = 8 / bits;
        long second = codesPerByte * VECTOR_BYTES;
        MemorySegment out = panel.asSlice(at + 2 * second * first);
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, (first + b) * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, memory, (long) b * BLOCK_BYTES, ORDER);
            long to = 2 * second * b;
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                IntVector lower = pairs(index.selectFrom(p1), index.selectFrom(p0));
                FloatVector even =
                        upper.lanewise(LSHL, 16).or(lower.and(0xffff)).reinterpretAsFloats();
                FloatVector odd =
                        upper.and(0xffff0000).or(lower.lanewise(LSHR, 16)).reinterpretAsFloats();
                even.mul(scale).intoMemorySegment(out, to, ORDER);
                odd.mul(scale).intoMemorySegment(out, to + second, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
        }
    }

    /// Sixteen-bit halves of 16 entries, two to a lane.
    private static IntVector pairs(ByteVector high, ByteVector low) {
        ShortVector upper = (ShortVector) high.convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
        ShortVector lower = (ShortVector) low.convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
        return upper.lanewise(LSHL, 8).or(lower).reinterpretAsInts();
    }
}
