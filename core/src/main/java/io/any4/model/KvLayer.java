package io.any4.model;

import io.any4.tensor.DType;
import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;

/// One block's share of a [KvCache].
sealed interface KvLayer permits DenseKvLayer, QuantizedKvLayer {
    /// Appends keys and values of the pass, and attends with its queries to all that is cached then.
    ///
    /// @param keys `[tokens, kvHeads * headDim]`, as are `values`
    /// @param queries `[tokens, heads * headDim]`, as is `out`
    void attend(Pass pass, AttentionShape shape, Buffer queries, Buffer keys, Buffer values, Buffer out);

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
    public void attend(Pass pass, AttentionShape shape, Buffer q, Buffer k, Buffer v, Buffer out) {
        Device device = pass.device();
        device.store(k, pass.tokens(), width, keys, pass.position());
        device.store(v, pass.tokens(), width, values, pass.position());
        device.attention(q, keys, values, shape, pass.tokens(), pass.position(), out);
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
