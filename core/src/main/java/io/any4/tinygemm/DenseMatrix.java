package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.DType;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// An F32, F16 or BF16 matrix, read where it lies and widened in registers.
///
/// Sixteen-bit elements are loaded as pairs in int lanes: a shift yields the even columns, a mask the odd ones.
final class DenseMatrix extends VectorMatrix {
    private static final long VECTOR_BYTES = 4L * LANES;

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
    void decode(int row, MemorySegment panel, long at, float[] scratch) {
        decode(row, false, panel, 4 * at);
        if (packed.hasEnds()) {
            decode(row, true, panel, 4 * at);
        }
    }

    private void decode(int row, boolean end, MemorySegment panel, long at) {
        MemorySegment memory = packed.row(row, end);
        MemorySegment out = panel.asSlice(at + 4L * packed.first(end) * arrangement.block);
        switch (dtype) {
            case F32 -> decodeF32(memory, out);
            case BF16 -> decodeBf16(memory, out);
            case F16 -> decodeF16(memory, out);
            case E8M0, U8, I8, I16, I32, I64, F64 -> throw new AssertionError("not a dense type: " + dtype);
        }
    }

    private static void decodeF32(MemorySegment memory, MemorySegment out) {
        long bytes = memory.byteSize();
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            FloatVector.fromMemorySegment(FLOATS, memory, i, ORDER).intoMemorySegment(out, i, ORDER);
        }
    }

    private static void decodeBf16(MemorySegment memory, MemorySegment out) {
        long bytes = memory.byteSize();
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            IntVector pairs = IntVector.fromMemorySegment(INTS, memory, i, ORDER);
            Simd.lowBf16(pairs).intoMemorySegment(out, 2 * i, ORDER);
            Simd.highBf16(pairs).intoMemorySegment(out, 2 * i + VECTOR_BYTES, ORDER);
        }
    }

    private static void decodeF16(MemorySegment memory, MemorySegment out) {
        long bytes = memory.byteSize();
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            IntVector pairs = IntVector.fromMemorySegment(INTS, memory, i, ORDER);
            Simd.lowF16(pairs).intoMemorySegment(out, 2 * i, ORDER);
            Simd.highF16(pairs).intoMemorySegment(out, 2 * i + VECTOR_BYTES, ORDER);
        }
    }

    @Override
    void product(MemorySegment x, float[] y, int from, int to) {
        if (dtype != DType.BF16) {
            super.product(x, y, from, to);
            return;
        }
        float[] sums = Scratch.floats(Gemm.ROWS * LANES);
        int quarter = (to - from) / 4;
        for (int r = from; r < from + quarter; r++) {
            four(x, y, sums, r, r + quarter, r + 2 * quarter, r + 3 * quarter);
        }
        for (int r = from + 4 * quarter; r < to; r++) {
            four(x, y, sums, r, r, r, r);
        }
    }

    private void four(MemorySegment x, float[] y, float[] sums, int r0, int r1, int r2, int r3) {
        java.util.Arrays.fill(sums, 0, Gemm.ROWS * LANES, 0f);
        addBf16(x, sums, false, r0, r1, r2, r3);
        if (packed.hasEnds()) {
            addBf16(x, sums, true, r0, r1, r2, r3);
        }
        Gemm.putSums(sums, 0, y, 0, r0, r1, r2, r3);
    }

    /// Four rows as four far-apart streams, which keeps more memory requests in flight than four neighbours.
    private void addBf16(MemorySegment x, float[] sums, boolean end, int r0, int r1, int r2, int r3) {
        FloatVector a0 = FloatVector.fromArray(FLOATS, sums, 0);
        FloatVector a1 = FloatVector.fromArray(FLOATS, sums, LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, sums, 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, sums, 3 * LANES);
        MemorySegment w0 = packed.row(r0, end);
        MemorySegment w1 = packed.row(r1, end);
        MemorySegment w2 = packed.row(r2, end);
        MemorySegment w3 = packed.row(r3, end);
        MemorySegment v = x.asSlice(4L * packed.first(end) * arrangement.block);
        long bytes = w0.byteSize();
        for (long i = 0; i < bytes; i += VECTOR_BYTES) {
            FloatVector even = FloatVector.fromMemorySegment(FLOATS, v, 2 * i, ORDER);
            FloatVector odd = FloatVector.fromMemorySegment(FLOATS, v, 2 * i + VECTOR_BYTES, ORDER);
            IntVector pairs = IntVector.fromMemorySegment(INTS, w0, i, ORDER);
            a0 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a0));
            pairs = IntVector.fromMemorySegment(INTS, w1, i, ORDER);
            a1 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a1));
            pairs = IntVector.fromMemorySegment(INTS, w2, i, ORDER);
            a2 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a2));
            pairs = IntVector.fromMemorySegment(INTS, w3, i, ORDER);
            a3 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a3));
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
    }
}
