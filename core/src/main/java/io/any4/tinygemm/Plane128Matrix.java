package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;

/// The [PlaneMatrix] of 128 bits: bytes pair up to shorts where they are, even ones and odd ones apart.
final class Plane128Matrix extends PlaneMatrix {
    Plane128Matrix(LutWeight weight, Tensor codes, int bits) {
        super(weight, codes, bits);
    }

    @Override
    void decodeCodes(int row, boolean end, MemorySegment panel, long at, float[] scales) {
        ByteVector p2 = plane(row, 2);
        ByteVector p3 = plane(row, 3);
        MemorySegment memory = codes.row(row, end);
        int first = codes.first(end);
        int blocks = (int) (memory.byteSize() / BLOCK_BYTES);
        int codesPerByte = 8 / bits;
        long step = (long) codesPerByte * VECTOR_BYTES;
        long to = at + 4 * step * first;
        for (int b = 0; b < blocks; b++) {
            FloatVector scale = FloatVector.fromArray(FLOATS, scales, (first + b) * LANES);
            ByteVector c = ByteVector.fromMemorySegment(CODES, memory, (long) b * BLOCK_BYTES, ORDER);
            for (int n = 0; n < codesPerByte; n++) {
                ByteVector index = c.and((byte) 15);
                ByteVector high = index.selectFrom(p3);
                ByteVector low = index.selectFrom(p2);
                IntVector even = even(high, low);
                IntVector odd = odd(high, low);
                if (entries == Entries.F16) {
                    Simd.lowF16(even).mul(scale).intoMemorySegment(panel, to, ORDER);
                    Simd.lowF16(odd).mul(scale).intoMemorySegment(panel, to + step, ORDER);
                    Simd.highF16(even).mul(scale).intoMemorySegment(panel, to + 2 * step, ORDER);
                    Simd.highF16(odd).mul(scale).intoMemorySegment(panel, to + 3 * step, ORDER);
                    c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                    to += VECTOR_BYTES;
                    continue;
                }
                IntVector w0 = even.lanewise(LSHL, 16);
                IntVector w1 = odd.lanewise(LSHL, 16);
                IntVector w2 = even.and(0xffff0000);
                IntVector w3 = odd.and(0xffff0000);
                if (entries == Entries.F32) {
                    ByteVector lower = index.selectFrom(plane(row, 1));
                    ByteVector lowest = index.selectFrom(plane(row, 0));
                    IntVector lowerEven = even(lower, lowest);
                    IntVector lowerOdd = odd(lower, lowest);
                    w0 = w0.or(lowerEven.and(0xffff));
                    w1 = w1.or(lowerOdd.and(0xffff));
                    w2 = w2.or(lowerEven.lanewise(LSHR, 16));
                    w3 = w3.or(lowerOdd.lanewise(LSHR, 16));
                }
                w0.reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to, ORDER);
                w1.reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to + step, ORDER);
                w2.reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to + 2 * step, ORDER);
                w3.reinterpretAsFloats().mul(scale).intoMemorySegment(panel, to + 3 * step, ORDER);
                c = c.reinterpretAsInts().lanewise(LSHR, bits).reinterpretAsBytes();
                to += VECTOR_BYTES;
            }
            to += 3 * step;
        }
    }

    /// Sixteen-bit halves of the entries with an even index, two to a lane.
    private static IntVector even(ByteVector high, ByteVector low) {
        ShortVector upper = high.reinterpretAsShorts().lanewise(LSHL, 8);
        return upper.or(low.reinterpretAsShorts().and((short) 0xff)).reinterpretAsInts();
    }

    /// The same of the entries with an odd index.
    private static IntVector odd(ByteVector high, ByteVector low) {
        ShortVector lower = low.reinterpretAsShorts().lanewise(LSHR, 8);
        return lower.or(high.reinterpretAsShorts().and((short) 0xff00)).reinterpretAsInts();
    }
}
