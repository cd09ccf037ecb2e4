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
        if (bf16) {
            decodeBf16(row, end, panel, at, scales);
        } else {
            decodeFloats(row, end, panel, at, scales);
        }
    }

    private void decodeBf16(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        int blocks = (int) (memory.byteSize() / BLOCK_BYTES);
        int codesPerByte = 8 / bits;
        long second = (long) codesPerByte * VECTOR_BYTES;
        long to = at + 2 * second * first;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, (first + b) * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, memory, (long) b * BLOCK_BYTES, ORDER);
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                upper.lanewise(LSHL, 16).reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to, ORDER);
                upper.and(0xffff0000).reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to + second, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
            to += second;
        }
    }

    private void decodeFloats(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        ByteVector p0 = plane(row, 0);
        ByteVector p1 = plane(row, 1);
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        int blocks = (int) (memory.byteSize() / BLOCK_BYTES);
        int codesPerByte = 8 / bits;
        long second = (long) codesPerByte * VECTOR_BYTES;
        long to = at + 2 * second * first;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, (first + b) * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, memory, (long) b * BLOCK_BYTES, ORDER);
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                IntVector upper = pairs(index.selectFrom(p3), index.selectFrom(p2));
                IntVector lower = pairs(index.selectFrom(p1), index.selectFrom(p0));
                IntVector even = upper.lanewise(LSHL, 16).or(lower.and(0xffff));
                IntVector odd = upper.and(0xffff0000).or(lower.lanewise(LSHR, 16));
                even.reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to, ORDER);
                odd.reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to + second, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
            to += second;
        }
    }

    /// Sixteen-bit halves of 16 entries, two to a lane.
    private static IntVector pairs(ByteVector high, ByteVector low) {
        ShortVector upper = (ShortVector) high.convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
        ShortVector lower = (ShortVector) low.convertShape(ZERO_EXTEND_B2S, SHORTS, 0);
        return upper.lanewise(LSHL, 8).or(lower).reinterpretAsInts();
    }
}
