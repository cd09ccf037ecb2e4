package io.any4.cuda;

import io.any4.tensor.DType;
import io.any4.tensor.Floats;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Floats of the host as the elements of a buffer, and back.
final class Elements {
    private static final float F16_MAX = 65504; // larger ones become it: see kv.cuh

    private Elements() {}

    /// The bytes of these floats, rounded to the type.
    static MemorySegment of(float[] values, DType dtype) {
        if (dtype == DType.F32) {
            return MemorySegment.ofArray(values);
        }
        short[] narrow = new short[values.length];
        for (int i = 0; i < values.length; i++) {
            narrow[i] = dtype == DType.F16
                    ? Float.floatToFloat16(Math.clamp(values[i], -F16_MAX, F16_MAX))
                    : Floats.toBf16(values[i]);
        }
        return MemorySegment.ofArray(narrow);
    }

    /// Where the bytes of `count` elements can be put: in `out` itself, if it has their type.
    static MemorySegment room(float[] out, int count, DType dtype) {
        return dtype == DType.F32
                ? MemorySegment.ofArray(out).asSlice(0, count * 4L)
                : MemorySegment.ofArray(new short[count]);
    }

    /// Brings elements from the place that [#room] has given to `out`.
    static void widen(MemorySegment elements, DType dtype, float[] out, int count) {
        for (int i = 0; dtype != DType.F32 && i < count; i++) {
            short element = elements.getAtIndex(ValueLayout.JAVA_SHORT, i);
            out[i] = dtype == DType.F16 ? Float.float16ToFloat(element) : Floats.fromBf16(element);
        }
    }
}
