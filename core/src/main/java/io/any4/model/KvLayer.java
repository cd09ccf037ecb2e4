package io.any4.model;

import io.any4.tensor.DType;
import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Span;

/// One block's share of a [KvCache].
sealed interface KvLayer permits DenseKvLayer, QuantizedKvLayer {
    /// Appends keys and values of a sequence's newest tokens, and attends with their queries to all that is cached
    /// then.
    ///
    /// @param keys rows of `kvHeads * headDim`, as are `values`
    /// @param queries rows of `heads * headDim`, as is `out`
    /// @param span which of the rows are this sequence's
    /// @param position of the first of them
    void attend(
            Device device,
            AttentionShape shape,
            Buffer queries,
            Buffer keys,
            Buffer values,
            Span span,
            int position,
            Buffer out);

    /// Forgets everything from position `length` on.
    void truncate(int length);

    /// Bytes in use for so many positions.
    long bytes(int length);
}

/// Keys and values as floats, `[capacity, kvHeads * headDim]` each.
record DenseKvLayer(Buffer keys, Buffer values, int width) implements KvLayer {
    static DenseKvLayer allocate(Device device, DType dtype, AttentionShape shape, int capacity) {
        long length = (long) capacity * shape.kvWidth();
        return new DenseKvLayer(device.allocate(dtype, length), device.allocate(dtype, length), shape.kvWidth());
    }

    @Override
    public void attend(
            Device device, AttentionShape shape, Buffer q, Buffer k, Buffer v, Span span, int position, Buffer out) {
        device.store(k, width, keys, span, position);
        device.store(v, width, values, span, position);
        device.attention(q, keys, values, shape, span, position, out);
    }

    @Override
    public void truncate(int length) {
        // what lies behind the end is overwritten before it is read
    }

    @Override
    public long bytes(int length) {
        return 2L * keys.dtype().bytes() * length * width;
    }
}
