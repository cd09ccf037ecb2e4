package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.HALF_SHORTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.QUARTER_BYTES;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Scales or zeros of a grouped weight, widened to floats row by row as the kernels get to them.
final class Metadata {
    private final Tensor tensor;
    private final MemorySegment data;
    private final long elements;
    private final int groups;

    Metadata(Tensor tensor, int groups) {
        this.tensor = OffHeap.view(tensor);
        this.data = this.tensor.data();
        this.elements = tensor.elements();
        this.groups = groups;
    }

    /// Writes the groups of a row to `out[at ..]`, and then up to a vector's worth of numbers that do not matter but
    /// are
    /// finite: `out` must have room for whole vectors.
    void widenRow(int row, float[] out, int at) {
        long index = (long) row * groups;
        for (int i = 0; i < groups; i += LANES) {
            if (index + i + LANES <= elements) {
                widen(index + i, out, at + i);
            } else {
                widenLast(index + i, out, at + i);
            }
        }
    }

    private void widen(long index, float[] out, int at) {
        switch (tensor.dtype()) {
            case F32 ->
                FloatVector.fromMemorySegment(FLOATS, data, index * 4, ORDER).intoArray(out, at);
            case F16 -> Simd.lowF16(shorts(index)).intoArray(out, at);
            case BF16 -> Simd.lowBf16(shorts(index)).intoArray(out, at);
            case I8 -> widenBytes(index, out, at);
            case E8M0, U8, I32, I64 -> tensor.copyTo(index, out, at, LANES);
        }
    }

    private void widenBytes(long index, float[] out, int at) {
        if (LANES < 8) {
            tensor.copyTo(index, out, at, LANES); // there are no vectors of four bytes
            return;
        }
        ByteVector bytes = ByteVector.fromMemorySegment(QUARTER_BYTES, data, index, ORDER);
        bytes.convertShape(VectorOperators.B2F, FLOATS, 0).reinterpretAsFloats().intoArray(out, at);
    }

    private IntVector shorts(long index) {
        ShortVector halves = ShortVector.fromMemorySegment(HALF_SHORTS, data, index * 2, ORDER);
        return (IntVector) halves.convertShape(VectorOperators.ZERO_EXTEND_S2I, Simd.INTS, 0);
    }

    private void widenLast(long index, float[] out, int at) {
        int left = (int) (elements - index);
        tensor.copyTo(index, out, at, left);
        java.util.Arrays.fill(out, at + left, at + LANES, 0f);
    }
}
