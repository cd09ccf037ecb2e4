package io.any4.model;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Span;

/// Room for the keys and values of one layer in F32, which the quantized layers of a cache use in turn.
final class KvWorkspace {
    private final Device device;
    private final int width;
    private final Buffer keys;
    private final Buffer values;
    private final float[] hostKeys;
    private final float[] hostValues;

    KvWorkspace(Device device, AttentionShape shape, int capacity) {
        this.device = device;
        this.width = shape.kvWidth();
        this.keys = device.allocate((long) capacity * width);
        this.values = device.allocate((long) capacity * width);
        this.hostKeys = new float[KvFormat.Quantized.BLOCK * width];
        this.hostValues = new float[KvFormat.Quantized.BLOCK * width];
    }

    /// Copies `count` rows of a buffer, from row `from` on, to row `row` of an array.
    static void read(Device device, Buffer source, int from, int count, int width, float[] target, int row) {
        float[] rows = new float[count * width];
        device.read(source, (long) from * width, rows, rows.length);
        System.arraycopy(rows, 0, target, row * width, rows.length);
    }

    /// Puts a block where its positions are.
    void write(KvBlock block, int position) {
        block.dequantize(hostKeys, hostValues);
        device.write(hostKeys, keys, (long) position * width);
        device.write(hostValues, values, (long) position * width);
    }

    /// Puts the first `count` rows of an unquantized block where their positions are.
    void write(float[] blockKeys, float[] blockValues, int position, int count) {
        float[] rows = new float[count * width];
        System.arraycopy(blockKeys, 0, rows, 0, rows.length);
        device.write(rows, keys, (long) position * width);
        System.arraycopy(blockValues, 0, rows, 0, rows.length);
        device.write(rows, values, (long) position * width);
    }

    /// Attends with the span's queries.
    void attend(AttentionShape shape, Buffer queries, Span span, Buffer out) {
        device.attention(queries, keys, values, shape, span, out);
    }
}
