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
    /// A block more, for what is between others.
    private final float[] rows;

    KvWorkspace(Device device, AttentionShape shape, int capacity) {
        this.device = device;
        this.width = shape.kvWidth();
        long whole = (long) Math.ceilDiv(capacity, KvFormat.Quantized.BLOCK) * KvFormat.Quantized.BLOCK;
        this.keys = device.allocate(whole * width);
        this.values = device.allocate(whole * width);
        this.hostKeys = new float[KvFormat.Quantized.BLOCK * width];
        this.hostValues = new float[KvFormat.Quantized.BLOCK * width];
        this.rows = new float[KvFormat.Quantized.BLOCK * width];
    }

    /// Copies `count` rows of a buffer, from row `from` on, to row `row` of a block.
    void read(Buffer source, int from, int count, float[] block, int row) {
        device.read(source, (long) from * width, rows, count * width);
        System.arraycopy(rows, 0, block, row * width, count * width);
    }

    /// Puts a block where its positions are.
    void write(KvBlock block, int position) {
        block.dequantize(hostKeys, hostValues, rows);
        write(hostKeys, hostValues, position);
    }

    /// Puts an unquantized block where its positions are; nobody sees what lies behind the end of the sequence.
    void write(float[] blockKeys, float[] blockValues, int position) {
        device.write(blockKeys, keys, (long) position * width);
        device.write(blockValues, values, (long) position * width);
    }

    /// Attends with the span's queries.
    void attend(AttentionShape shape, Buffer queries, Span span, int position, Buffer out) {
        device.attention(queries, keys, values, shape, span, position, out);
    }
}
