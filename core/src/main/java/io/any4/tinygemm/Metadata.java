package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.HALF_SHORTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.QUARTER_BYTES;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorOperators;

/// Scales or zeros of a grouped weight, widened to floats as the kernels get to them.
///
/// Whole vectors are loaded even where a row has fewer groups. The last ones of the tensor are therefore loaded from a
/// copy with some room behind it: every path must be a plain vector load for the compiler to keep vectors in registers.
final class Metadata {
    private final DType dtype;
    private final MemorySegment data;
    private final MemorySegment end;
    private final long endStart;
    private final int groups;

    Metadata(Tensor tensor, int groups) {
        Tensor own = OffHeap.view(loadable(tensor.dtype()) ? tensor : toBf16(tensor));
        this.groups = groups;
        dtype = own.dtype();
        data = own.data();
        endStart = Math.max(0, own.elements() - LANES);
        MemorySegment last = data.asSlice(endStart * dtype.bytes());
        end = Arena.ofAuto().allocate(last.byteSize() + (long) LANES * dtype.bytes(), 64);
        end.copyFrom(last);
    }

    /// There are no vectors of four bytes, and none for powers of two.
    private static boolean loadable(DType dtype) {
        return dtype.isFloat() || (dtype == DType.I8 && LANES >= 8);
    }

    /// Powers of two and signed bytes fit bf16.
    private static Tensor toBf16(Tensor numbers) {
        Tensor copy = Tensor.allocate(Arena.ofAuto(), DType.BF16, numbers.rows(), numbers.columns());
        for (long i = 0; i < numbers.elements(); i++) {
            copy.setFloat(i, numbers.getFloat(i));
        }
        return copy;
    }

    /// Writes the groups of a row to `out[at ..]`, and then up to a vector's worth of numbers that do not matter but
    /// are finite: `out` must have room for whole vectors.
    void widenRow(int row, float[] out, int at) {
        for (int i = 0; i < groups; i += LANES) {
            long index = (long) row * groups + i;
            if (index < endStart) {
                widen(data, index, out, at + i);
            } else {
                widen(end, index - endStart, out, at + i);
            }
        }
    }

    private void widen(MemorySegment from, long index, float[] out, int at) {
        if (dtype == DType.F16) {
            Simd.lowF16(halves(from, index)).intoArray(out, at);
        } else if (dtype == DType.BF16) {
            Simd.lowBf16(halves(from, index)).intoArray(out, at);
        } else if (dtype == DType.F32) {
            FloatVector.fromMemorySegment(FLOATS, from, index * 4, ORDER).intoArray(out, at);
        } else {
            ByteVector bytes = ByteVector.fromMemorySegment(QUARTER_BYTES, from, index, ORDER);
            ((FloatVector) bytes.convertShape(VectorOperators.B2F, FLOATS, 0)).intoArray(out, at);
        }
    }

    private static IntVector halves(MemorySegment from, long index) {
        return Simd.toInts(ShortVector.fromMemorySegment(HALF_SHORTS, from, index * 2, ORDER));
    }
}
