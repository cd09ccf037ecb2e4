package io.any4.tinygemm;

import io.any4.tensor.DType;
import io.any4.tensor.Floats;

/// Keys or values in 16 bits, on the heap.
///
/// @param dtype F16 or BF16. What is too large for F16 becomes its largest number: one such element must not turn every
///     later token into NaN
record CpuHalfBuffer(short[] data, DType dtype) implements CpuRows {
    private static final float F16_MAX = 65504;

    CpuHalfBuffer {
        if (dtype != DType.F16 && dtype != DType.BF16) {
            throw new IllegalArgumentException(dtype + " is no 16-bit float");
        }
    }

    @Override
    public long length() {
        return data.length;
    }

    @Override
    public float get(int index) {
        return dtype == DType.F16 ? Float.float16ToFloat(data[index]) : Floats.fromBf16(data[index]);
    }

    @Override
    public void put(float[] source, int from, int count, int at) {
        if (dtype == DType.F16) {
            for (int i = 0; i < count; i++) {
                data[at + i] = Float.floatToFloat16(Math.clamp(source[from + i], -F16_MAX, F16_MAX));
            }
        } else {
            for (int i = 0; i < count; i++) {
                data[at + i] = Floats.toBf16(source[from + i]);
            }
        }
    }

    @Override
    public void widen(int from, int count, float[] out, int at) {
        if (dtype == DType.F16) {
            for (int i = 0; i < count; i++) {
                out[at + i] = Float.float16ToFloat(data[from + i]);
            }
        } else {
            for (int i = 0; i < count; i++) {
                out[at + i] = Floats.fromBf16(data[from + i]);
            }
        }
    }
}
