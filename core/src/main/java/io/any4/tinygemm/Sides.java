package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.HALF_SHORTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.ShortVector;
import org.jspecify.annotations.Nullable;

/// The scales and zeros of a grouped weight, copied once so that a row's are neighbours and start on a cache line.
///
/// They stay as narrow as they were and are widened when a kernel gets to the row. Whole vectors are loaded, and what
/// lies after the last group is zero.
final class Sides {
    private static final int LINE = 64;

    private final DType dtype;
    private final int groups;
    private final long zerosAt;
    private final long rowBytes;
    private final boolean zeros;
    private final MemorySegment memory;

    Sides(Tensor scale, @Nullable Tensor zero, int groups) {
        this.groups = groups;
        dtype = common(scale, zero);
        zeros = zero != null;
        zerosAt = (long) Simd.pad(groups) * dtype.bytes();
        rowBytes = Math.ceilDiv(zeros ? 2 * zerosAt : zerosAt, LINE) * LINE;
        memory = Arena.ofAuto().allocate(rowBytes * scale.rows(), LINE);
        copy(scale, 0);
        if (zero != null) {
            copy(zero, zerosAt);
        }
    }

    /// The narrowest type the kernels widen that holds both: signed bytes and powers of two fit bf16.
    private static DType common(Tensor scale, @Nullable Tensor zero) {
        DType narrow = scale.dtype().isFloat() ? scale.dtype() : DType.BF16;
        return zero == null || zero.dtype() == narrow ? narrow : DType.F32;
    }

    private void copy(Tensor numbers, long at) {
        Tensor from = OffHeap.view(numbers);
        for (long row = 0; row < from.rows(); row++) {
            copyRow(from, row, row * rowBytes + at);
        }
    }

    private void copyRow(Tensor from, long row, long to) {
        if (from.dtype() == dtype) {
            long bytes = (long) groups * dtype.bytes();
            MemorySegment.copy(from.data(), row * bytes, memory, to, bytes);
            return;
        }
        for (int g = 0; g < groups; g++) {
            float value = from.getFloat(row * groups + g);
            if (dtype == DType.F32) {
                memory.set(Tensor.FLOAT, to + 4L * g, value);
            } else {
                memory.set(Tensor.SHORT, to + 2L * g, (short) (Float.floatToRawIntBits(value) >>> 16));
            }
        }
    }

    boolean hasZeros() {
        return zeros;
    }

    /// Writes a row's scales, in whole vectors, to `out[at ..]`.
    void widenScales(int row, float[] out, int at) {
        widen(row * rowBytes, out, at);
    }

    /// Writes a row's zeros, in whole vectors, to `out[at ..]`.
    void widenZeros(int row, float[] out, int at) {
        widen(row * rowBytes + zerosAt, out, at);
    }

    private void widen(long from, float[] out, int at) {
        if (dtype == DType.F16) {
            for (int i = 0; i < groups; i += LANES) {
                ShortVector halves = ShortVector.fromMemorySegment(HALF_SHORTS, memory, from + 2L * i, ORDER);
                Simd.lowF16(Simd.toInts(halves)).intoArray(out, at + i);
            }
        } else if (dtype == DType.BF16) {
            for (int i = 0; i < groups; i += LANES) {
                ShortVector halves = ShortVector.fromMemorySegment(HALF_SHORTS, memory, from + 2L * i, ORDER);
                Simd.lowBf16(Simd.toInts(halves)).intoArray(out, at + i);
            }
        } else {
            for (int i = 0; i < groups; i += LANES) {
                FloatVector.fromMemorySegment(FLOATS, memory, from + 4L * i, ORDER)
                        .intoArray(out, at + i);
            }
        }
    }

    /// Writes the lane-wise sums of a row's zeros times the group sums at the start of `x` to `out[at .. at + LANES)`.
    void addZeros(int row, MemorySegment x, float[] out, int at) {
        long from = row * rowBytes + zerosAt;
        FloatVector sum = FloatVector.zero(FLOATS);
        if (!zeros) {
            sum.intoArray(out, at);
            return;
        }
        if (dtype == DType.F16) {
            for (int i = 0; i < groups; i += LANES) {
                ShortVector halves = ShortVector.fromMemorySegment(HALF_SHORTS, memory, from + 2L * i, ORDER);
                FloatVector v = FloatVector.fromMemorySegment(FLOATS, x, 4L * i, ORDER);
                sum = Simd.lowF16(Simd.toInts(halves)).fma(v, sum);
            }
        } else if (dtype == DType.BF16) {
            for (int i = 0; i < groups; i += LANES) {
                ShortVector halves = ShortVector.fromMemorySegment(HALF_SHORTS, memory, from + 2L * i, ORDER);
                FloatVector v = FloatVector.fromMemorySegment(FLOATS, x, 4L * i, ORDER);
                sum = Simd.lowBf16(Simd.toInts(halves)).fma(v, sum);
            }
        } else {
            for (int i = 0; i < groups; i += LANES) {
                FloatVector v = FloatVector.fromMemorySegment(FLOATS, x, 4L * i, ORDER);
                sum = FloatVector.fromMemorySegment(FLOATS, memory, from + 4L * i, ORDER)
                        .fma(v, sum);
            }
        }
        sum.intoArray(out, at);
    }
}
