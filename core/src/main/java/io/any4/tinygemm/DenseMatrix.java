package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.F16_BIAS;
import static io.any4.tinygemm.Simd.F16_BITS;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.LSHL;

import io.any4.tensor.DType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// An F32, F16 or BF16 matrix, read where it lies and widened in registers.
///
/// Sixteen-bit elements are loaded as pairs in int lanes: a shift yields the even columns, a mask the odd ones.
final class DenseMatrix extends FusedMatrix {
    private final Arrangement arrangement;
    private final PackedRows packed;
    private final DType dtype;

    DenseMatrix(DenseWeight weight) {
        super(weight);
        dtype = weight.values().dtype();
        packed = new PackedRows(weight.values(), 4 * LANES);
        arrangement = Arrangement.ungrouped(weight.columns(), dtype == DType.F32 ? 1 : 2);
    }

    @Override
    public int arrangedLength() {
        return arrangement.length();
    }

    @Override
    public void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        arrangement.arrange(x, offset, arranged, target);
    }

    @Override
    boolean isAlive() {
        return packed.isAlive();
    }

    @Override
    void decode(int row, long out, float[] scratch) {
        decode(row, false, out);
        if (packed.hasEnds()) {
            decode(row, true, out);
        }
    }

    private void decode(int row, boolean end, long out) {
        long in = packed.address(row, end);
        long bytes = packed.count(end) * VECTOR_BYTES;
        long to = out + 4L * packed.first(end) * arrangement.block;
        switch (dtype) {
            case F32 -> MemorySegment.copy(ALL, in, ALL, to, bytes);
            case BF16 -> decodeBf16(in, bytes, to);
            case F16 -> decodeF16(in, bytes, to);
            case E8M0, U8, I8, I16, I32, I64, F64 -> throw new AssertionError("not a dense type: " + dtype);
        }
    }

    private static void decodeBf16(long in, long bytes, long out) {
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            IntVector pairs = IntVector.fromMemorySegment(INTS, ALL, (in + i) & ADDRESS, ORDER);
            Simd.lowBf16(pairs).intoMemorySegment(ALL, (out + 2 * i) & ADDRESS, ORDER);
            Simd.highBf16(pairs).intoMemorySegment(ALL, (out + 2 * i + VECTOR_BYTES) & ADDRESS, ORDER);
        }
    }

    private static void decodeF16(long in, long bytes, long out) {
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            IntVector pairs = IntVector.fromMemorySegment(INTS, ALL, (in + i) & ADDRESS, ORDER);
            Simd.lowF16(pairs).intoMemorySegment(ALL, (out + 2 * i) & ADDRESS, ORDER);
            Simd.highF16(pairs).intoMemorySegment(ALL, (out + 2 * i + VECTOR_BYTES) & ADDRESS, ORDER);
        }
    }

    @Override
    void sum(long x, long sums, int r, int stride, int last) {
        clear(sums);
        add(x, sums, false, r, stride, last);
        if (packed.hasEnds()) {
            add(x, sums, true, r, stride, last);
        }
    }

    private static void clear(long sums) {
        for (int i = 0; i < ROWS; i++) {
            FloatVector.zero(FLOATS).intoMemorySegment(ALL, (sums + i * VECTOR_BYTES) & ADDRESS, ORDER);
        }
    }

    /// Adds whole vectors, or those at the ends, of the four rows `min(r + i * stride, last)` to their sums.
    private void add(long x, long sums, boolean end, int r, int stride, int last) {
        switch (dtype) {
            case F32 -> addF32(x, sums, end, r, stride, last);
            case BF16 -> addBf16(x, sums, end, r, stride, last);
            case F16 -> addF16(x, sums, end, r, stride, last);
            case E8M0, U8, I8, I16, I32, I64, F64 -> throw new AssertionError("not a dense type: " + dtype);
        }
    }

    private void addF32(long x, long sums, boolean end, int r, int stride, int last) {
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.address(r, end);
        long w1 = packed.address(Math.min(r + stride, last), end);
        long w2 = packed.address(Math.min(r + 2 * stride, last), end);
        long w3 = packed.address(Math.min(r + 3 * stride, last), end);
        long v = x + 4L * packed.first(end) * arrangement.block;
        long bytes = packed.count(end) * VECTOR_BYTES;
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            FloatVector u = FloatVector.fromMemorySegment(FLOATS, ALL, (v + i) & ADDRESS, ORDER);
            a0 = FloatVector.fromMemorySegment(FLOATS, ALL, (w0 + i) & ADDRESS, ORDER)
                    .fma(u, a0);
            a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (w1 + i) & ADDRESS, ORDER)
                    .fma(u, a1);
            a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (w2 + i) & ADDRESS, ORDER)
                    .fma(u, a2);
            a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (w3 + i) & ADDRESS, ORDER)
                    .fma(u, a3);
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }

    private void addBf16(long x, long sums, boolean end, int r, int stride, int last) {
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.address(r, end);
        long w1 = packed.address(Math.min(r + stride, last), end);
        long w2 = packed.address(Math.min(r + 2 * stride, last), end);
        long w3 = packed.address(Math.min(r + 3 * stride, last), end);
        long v = x + 4L * packed.first(end) * arrangement.block;
        long bytes = packed.count(end) * VECTOR_BYTES;
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, (v + 2 * i) & ADDRESS, ORDER);
            FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, (v + 2 * i + VECTOR_BYTES) & ADDRESS, ORDER);
            IntVector pairs = IntVector.fromMemorySegment(INTS, ALL, (w0 + i) & ADDRESS, ORDER);
            a0 = pairs.and(0xffff0000)
                    .reinterpretAsFloats()
                    .fma(odd, pairs.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a0));
            pairs = IntVector.fromMemorySegment(INTS, ALL, (w1 + i) & ADDRESS, ORDER);
            a1 = pairs.and(0xffff0000)
                    .reinterpretAsFloats()
                    .fma(odd, pairs.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a1));
            pairs = IntVector.fromMemorySegment(INTS, ALL, (w2 + i) & ADDRESS, ORDER);
            a2 = pairs.and(0xffff0000)
                    .reinterpretAsFloats()
                    .fma(odd, pairs.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a2));
            pairs = IntVector.fromMemorySegment(INTS, ALL, (w3 + i) & ADDRESS, ORDER);
            a3 = pairs.and(0xffff0000)
                    .reinterpretAsFloats()
                    .fma(odd, pairs.lanewise(LSHL, 16).reinterpretAsFloats().fma(even, a3));
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }

    private void addF16(long x, long sums, boolean end, int r, int stride, int last) {
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        long w0 = packed.address(r, end);
        long w1 = packed.address(Math.min(r + stride, last), end);
        long w2 = packed.address(Math.min(r + 2 * stride, last), end);
        long w3 = packed.address(Math.min(r + 3 * stride, last), end);
        long v = x + 4L * packed.first(end) * arrangement.block;
        long bytes = packed.count(end) * VECTOR_BYTES;
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            FloatVector even = FloatVector.fromMemorySegment(FLOATS, ALL, (v + 2 * i) & ADDRESS, ORDER);
            FloatVector odd = FloatVector.fromMemorySegment(FLOATS, ALL, (v + 2 * i + VECTOR_BYTES) & ADDRESS, ORDER);
            IntVector pairs = IntVector.fromMemorySegment(INTS, ALL, (w0 + i) & ADDRESS, ORDER);
            FloatVector low =
                    pairs.lanewise(LSHL, 16).lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            FloatVector high = pairs.lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            a0 = high.mul(F16_BIAS).fma(odd, low.mul(F16_BIAS).fma(even, a0));
            pairs = IntVector.fromMemorySegment(INTS, ALL, (w1 + i) & ADDRESS, ORDER);
            low = pairs.lanewise(LSHL, 16).lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            high = pairs.lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            a1 = high.mul(F16_BIAS).fma(odd, low.mul(F16_BIAS).fma(even, a1));
            pairs = IntVector.fromMemorySegment(INTS, ALL, (w2 + i) & ADDRESS, ORDER);
            low = pairs.lanewise(LSHL, 16).lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            high = pairs.lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            a2 = high.mul(F16_BIAS).fma(odd, low.mul(F16_BIAS).fma(even, a2));
            pairs = IntVector.fromMemorySegment(INTS, ALL, (w3 + i) & ADDRESS, ORDER);
            low = pairs.lanewise(LSHL, 16).lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            high = pairs.lanewise(ASHR, 3).and(F16_BITS).reinterpretAsFloats();
            a3 = high.mul(F16_BIAS).fma(odd, low.mul(F16_BIAS).fma(even, a3));
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
