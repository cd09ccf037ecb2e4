package io.any4.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/// A dense row-major array of numbers over memory that it does not own: a heap array, native memory or a mapped file.
///
/// Elements are little-endian and may lie at any address; offsets are 64 bit, so a tensor may exceed 2 GiB.
public record Tensor(DType dtype, Shape shape, MemorySegment data) {
    public static final ValueLayout.OfShort SHORT = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfInt INT = ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfFloat FLOAT = ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
    public static final ValueLayout.OfDouble DOUBLE =
            ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

    public Tensor {
        long expected = Math.multiplyExact(shape.elements(), dtype.bytes());
        if (data.byteSize() != expected) {
            throw new IllegalArgumentException(
                    "a %s tensor of shape %s has %d bytes, not %d".formatted(dtype, shape, expected, data.byteSize()));
        }
    }

    /// Zero-filled native memory that lives as long as the arena.
    public static Tensor allocate(Arena arena, DType dtype, long... dims) {
        Shape shape = Shape.of(dims);
        return new Tensor(dtype, shape, arena.allocate(Math.multiplyExact(shape.elements(), dtype.bytes()), 64));
    }

    /// A copy of `values` as an F32 tensor.
    public static Tensor ofFloats(float[] values, long... dims) {
        Tensor tensor = allocate(Arena.ofAuto(), DType.F32, dims);
        MemorySegment.copy(values, 0, tensor.data, FLOAT, 0, values.length);
        return tensor;
    }

    /// A copy of `values` rounded to a float type.
    public static Tensor ofFloats(DType dtype, float[] values, long... dims) {
        Tensor tensor = allocate(Arena.ofAuto(), dtype, dims);
        for (int i = 0; i < values.length; i++) {
            tensor.setFloat(i, values[i]);
        }
        return tensor;
    }

    public long elements() {
        return shape.elements();
    }

    /// Extent of the first dimension.
    public long rows() {
        return shape.dim(0);
    }

    /// Elements per row: the product of all dimensions but the first.
    public long columns() {
        return rows() == 0 ? 0 : elements() / rows();
    }

    /// A view of rows `from` (inclusive) to `to` (exclusive).
    public Tensor rows(long from, long to) {
        long rowBytes = columns() * dtype.bytes();
        java.util.ArrayList<Long> dims = new java.util.ArrayList<>(shape.dims());
        dims.set(0, to - from);
        return new Tensor(dtype, new Shape(dims), data.asSlice(from * rowBytes, (to - from) * rowBytes));
    }

    /// The element at a flat index, widened to a float; integers are converted by value.
    public float getFloat(long index) {
        return switch (dtype) {
            case F32 -> data.get(FLOAT, index * 4);
            case F16 -> Float.float16ToFloat(data.get(SHORT, index * 2));
            case BF16 -> Floats.fromBf16(data.get(SHORT, index * 2));
            case E8M0 -> Floats.fromE8m0(data.get(ValueLayout.JAVA_BYTE, index));
            case U8 -> data.get(ValueLayout.JAVA_BYTE, index) & 0xff;
            case I8 -> data.get(ValueLayout.JAVA_BYTE, index);
            case I32 -> data.get(INT, index * 4);
            case I16 -> data.get(SHORT, index * 2);
            case I64 -> data.get(LONG, index * 8);
            case F64 -> (float) data.get(DOUBLE, index * 8);
        };
    }

    /// Stores a value, rounded to nearest even; integer types take the value's integer part.
    public void setFloat(long index, float value) {
        switch (dtype) {
            case F32 -> data.set(FLOAT, index * 4, value);
            case F16 -> data.set(SHORT, index * 2, Float.floatToFloat16(value));
            case BF16 -> data.set(SHORT, index * 2, Floats.toBf16(value));
            case E8M0 -> data.set(ValueLayout.JAVA_BYTE, index, Floats.toE8m0(value));
            case U8, I8 -> data.set(ValueLayout.JAVA_BYTE, index, (byte) (int) value);
            case I32 -> data.set(INT, index * 4, (int) value);
            case I16 -> data.set(SHORT, index * 2, (short) value);
            case I64 -> data.set(LONG, index * 8, (long) value);
            case F64 -> data.set(DOUBLE, index * 8, value);
        }
    }

    /// Widens one row into `out`, starting at `offset`.
    public void copyRow(long row, float[] out, int offset) {
        copyTo(row * columns(), out, offset, Math.toIntExact(columns()));
    }

    /// Widens `count` elements from a flat index on into `out`.
    public void copyTo(long index, float[] out, int offset, int count) {
        switch (dtype) {
            case F32 -> MemorySegment.copy(data, FLOAT, index * 4, out, offset, count);
            case F16 -> {
                for (int i = 0; i < count; i++) {
                    out[offset + i] = Float.float16ToFloat(data.get(SHORT, (index + i) * 2));
                }
            }
            case BF16 -> {
                for (int i = 0; i < count; i++) {
                    out[offset + i] = Floats.fromBf16(data.get(SHORT, (index + i) * 2));
                }
            }
            case E8M0, U8, I8, I16, I32, I64, F64 -> {
                for (int i = 0; i < count; i++) {
                    out[offset + i] = getFloat(index + i);
                }
            }
        }
    }

    /// All elements widened to floats; for vectors and tests, not for large matrices.
    public float[] toFloats() {
        float[] out = new float[Math.toIntExact(elements())];
        copyTo(0, out, 0, out.length);
        return out;
    }
}
