package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.BYTES;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;

/// An F32, F16 or BF16 matrix, read where it lies and widened in registers.
///
/// Sixteen-bit elements are loaded as pairs in int lanes: a shift yields the even columns, a mask the odd ones.
final class DenseMatrix extends VectorMatrix {
    private final Arrangement arrangement;
    private final MemorySegment data;
    private final DType dtype;
    private final int columns;

    DenseMatrix(DenseWeight weight) {
        super(weight);
        Tensor values = OffHeap.view(weight.values());
        data = values.data();
        dtype = values.dtype();
        columns = weight.columns();
        arrangement = Arrangement.ungrouped(columns, dtype == DType.F32 ? 1 : 2);
    }

    @Override
    public int arrangedLength() {
        return arrangement.length();
    }

    @Override
    public void arrange(float[] x, int offset, float[] arranged, int target) {
        arrangement.arrange(x, offset, arranged, target);
    }

    @Override
    void decode(int row, float[] panel, int at, int spare) {
        long start = (long) row * columns * dtype.bytes();
        int full = columns / arrangement.block;
        switch (dtype) {
            case F32 -> decodeF32(start, full, panel, at);
            case BF16 -> decodeBf16(start, full, panel, at);
            case F16 -> decodeF16(start, full, panel, at);
            case E8M0, U8, I8, I16, I32, I64, F64 -> throw new AssertionError("not a dense type: " + dtype);
        }
        if (full < arrangement.blocks) {
            decodeLast(lastBlock(start), panel, at + full * arrangement.block);
        }
    }

    private void decodeF32(long start, int full, float[] panel, int at) {
        for (int b = 0; b < full; b++) {
            FloatVector.fromMemorySegment(FLOATS, data, start + 4L * LANES * b, ORDER)
                    .intoArray(panel, at + b * LANES);
        }
    }

    private void decodeBf16(long start, int full, float[] panel, int at) {
        for (int b = 0; b < full; b++) {
            IntVector pairs = IntVector.fromMemorySegment(INTS, data, start + 4L * LANES * b, ORDER);
            Simd.lowBf16(pairs).intoArray(panel, at + 2 * b * LANES);
            Simd.highBf16(pairs).intoArray(panel, at + 2 * b * LANES + LANES);
        }
    }

    private void decodeF16(long start, int full, float[] panel, int at) {
        for (int b = 0; b < full; b++) {
            IntVector pairs = IntVector.fromMemorySegment(INTS, data, start + 4L * LANES * b, ORDER);
            Simd.lowF16(pairs).intoArray(panel, at + 2 * b * LANES);
            Simd.highF16(pairs).intoArray(panel, at + 2 * b * LANES + LANES);
        }
    }

    /// The columns after the last whole block, and zeros.
    private IntVector lastBlock(long start) {
        int from = columns / arrangement.block * arrangement.block * dtype.bytes();
        int bytes = columns * dtype.bytes() - from;
        return ByteVector.fromMemorySegment(BYTES, data, start + from, ORDER, BYTES.indexInRange(0, bytes))
                .reinterpretAsInts();
    }

    private void decodeLast(IntVector last, float[] panel, int at) {
        if (dtype == DType.F32) {
            last.reinterpretAsFloats().intoArray(panel, at);
            return;
        }
        boolean bf16 = dtype == DType.BF16;
        (bf16 ? Simd.lowBf16(last) : Simd.lowF16(last)).intoArray(panel, at);
        (bf16 ? Simd.highBf16(last) : Simd.highF16(last)).intoArray(panel, at + LANES);
    }

    @Override
    void product(float[] x, float[] y, int from, int to) {
        if (dtype != DType.BF16) {
            super.product(x, y, from, to);
            return;
        }
        float[] sums = Scratch.floats(Gemm.ROWS * LANES);
        int quarter = (to - from) / 4;
        for (int r = from; r < from + quarter; r++) {
            fourBf16(x, y, sums, r, r + quarter, r + 2 * quarter, r + 3 * quarter);
        }
        for (int r = from + 4 * quarter; r < to; r++) {
            fourBf16(x, y, sums, r, r, r, r);
        }
    }

    /// Four rows as four far-apart streams, which keeps more memory requests in flight than four neighbours.
    private void fourBf16(float[] x, float[] y, float[] sums, int r0, int r1, int r2, int r3) {
        FloatVector a0 = FloatVector.zero(FLOATS);
        FloatVector a1 = a0;
        FloatVector a2 = a0;
        FloatVector a3 = a0;
        long s0 = 2L * r0 * columns;
        long s1 = 2L * r1 * columns;
        long s2 = 2L * r2 * columns;
        long s3 = 2L * r3 * columns;
        int full = columns / arrangement.block;
        for (int b = 0; b < full; b++) {
            FloatVector even = FloatVector.fromArray(FLOATS, x, 2 * b * LANES);
            FloatVector odd = FloatVector.fromArray(FLOATS, x, 2 * b * LANES + LANES);
            long at = 4L * LANES * b;
            IntVector pairs = IntVector.fromMemorySegment(INTS, data, s0 + at, ORDER);
            a0 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a0));
            pairs = IntVector.fromMemorySegment(INTS, data, s1 + at, ORDER);
            a1 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a1));
            pairs = IntVector.fromMemorySegment(INTS, data, s2 + at, ORDER);
            a2 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a2));
            pairs = IntVector.fromMemorySegment(INTS, data, s3 + at, ORDER);
            a3 = Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, a3));
        }
        a0.intoArray(sums, 0);
        a1.intoArray(sums, LANES);
        a2.intoArray(sums, 2 * LANES);
        a3.intoArray(sums, 3 * LANES);
        if (full < arrangement.blocks) {
            addLastBf16(s0, x, sums, 0);
            addLastBf16(s1, x, sums, LANES);
            addLastBf16(s2, x, sums, 2 * LANES);
            addLastBf16(s3, x, sums, 3 * LANES);
        }
        Gemm.putSums(sums, 0, y, 0, r0, r1, r2, r3);
    }

    private void addLastBf16(long start, float[] x, float[] sums, int sumAt) {
        IntVector pairs = lastBlock(start);
        int at = (arrangement.blocks - 1) * arrangement.block;
        FloatVector even = FloatVector.fromArray(FLOATS, x, at);
        FloatVector odd = FloatVector.fromArray(FLOATS, x, at + LANES);
        FloatVector sum = FloatVector.fromArray(FLOATS, sums, sumAt);
        Simd.highBf16(pairs).fma(odd, Simd.lowBf16(pairs).fma(even, sum)).intoArray(sums, sumAt);
    }
}
