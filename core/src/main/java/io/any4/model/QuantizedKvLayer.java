package io.any4.model;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Span;
import java.util.ArrayList;
import java.util.List;

/// Keys and values in blocks of [KvFormat.Quantized#BLOCK] positions, all quantized but the newest.
///
/// A query sees the block it is in as it is and earlier blocks as they are stored, whether its tokens come one by one
/// or many at a time: results do not depend on how a text is cut.
final class QuantizedKvLayer implements KvLayer {
    private final KvFormat.Quantized format;
    private final KvWorkspace workspace;
    private final int width;
    private final int headDim;
    private final List<KvBlock> blocks = new ArrayList<>();
    /// The newest block, `[BLOCK, width]`; valid up to the end of the sequence.
    private final float[] newestKeys;
    private final float[] newestValues;

    QuantizedKvLayer(KvFormat.Quantized format, KvWorkspace workspace, AttentionShape shape) {
        this.format = format;
        this.workspace = workspace;
        this.width = shape.kvWidth();
        this.headDim = shape.headDim();
        this.newestKeys = new float[KvFormat.Quantized.BLOCK * width];
        this.newestValues = new float[KvFormat.Quantized.BLOCK * width];
    }

    @Override
    public void attend(
            Device device,
            AttentionShape shape,
            Buffer queries,
            Buffer keys,
            Buffer values,
            Span span,
            int first,
            Buffer out) {
        for (int i = 0; i < blocks.size(); i++) {
            workspace.write(blocks.get(i), i * KvFormat.Quantized.BLOCK);
        }
        int from = 0;
        while (from < span.tokens()) {
            int position = first + from;
            int block = position / KvFormat.Quantized.BLOCK;
            int count = Math.min(span.tokens() - from, (block + 1) * KvFormat.Quantized.BLOCK - position);
            if (block > blocks.size()) {
                store();
            }
            int row = position % KvFormat.Quantized.BLOCK;
            Span part = count == span.tokens() ? span : new Span(span.row() + from, count);
            workspace.read(keys, part.row(), count, newestKeys, row);
            workspace.read(values, part.row(), count, newestValues, row);
            workspace.write(newestKeys, newestValues, block * KvFormat.Quantized.BLOCK);
            workspace.attend(shape, queries, part, position, out);
            from += count;
        }
    }

    /// Quantizes the newest block, which is full.
    private void store() {
        KvBlock block = KvBlock.quantize(format, newestKeys, newestValues, width, headDim);
        workspace.write(block, blocks.size() * KvFormat.Quantized.BLOCK);
        blocks.add(block);
    }

    @Override
    public void truncate(int length) {
        int stored = length == 0 ? 0 : (length - 1) / KvFormat.Quantized.BLOCK;
        if (stored < blocks.size()) {
            blocks.get(stored).dequantize(newestKeys, newestValues, new float[KvFormat.Quantized.BLOCK]);
            blocks.subList(stored, blocks.size()).clear();
        }
    }

    @Override
    public long bytes(int length) {
        long bytes = 2L * 4 * width * (length - Math.min(length, blocks.size() * KvFormat.Quantized.BLOCK));
        for (KvBlock block : blocks) {
            bytes += block.bytes();
        }
        return bytes;
    }
}
