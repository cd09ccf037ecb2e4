package io.any4.model;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import java.util.ArrayList;
import java.util.List;

/// The keys and values of one sequence: what attention remembers of the tokens so far.
///
/// Belongs to the decoder that made it ([Decoder#newCache]); its memory is allocated once, for `capacity` positions.
public final class KvCache {
    /// One block's share, `[capacity, kvHeads * headDim]` each.
    record Layer(Buffer keys, Buffer values) {
        static Layer allocate(Device device, AttentionShape shape, int capacity) {
            long floats = (long) capacity * shape.kvWidth();
            return new Layer(device.allocate(floats), device.allocate(floats));
        }
    }

    private final List<Layer> layers = new ArrayList<>();
    private final int capacity;
    private int length;

    KvCache(Device device, ModelConfig config, int capacity) {
        this.capacity = capacity;
        for (int layer = 0; layer < config.layers(); layer++) {
            layers.add(Layer.allocate(device, config.attention(layer), capacity));
        }
    }

    /// Positions there is room for.
    public int capacity() {
        return capacity;
    }

    /// Positions in use: the position of the next token.
    public int length() {
        return length;
    }

    /// Positions left.
    public int remaining() {
        return capacity - length;
    }

    /// Forgets everything from position `newLength` on.
    public void truncate(int newLength) {
        if (newLength < 0 || newLength > length) {
            throw new IllegalArgumentException("cannot cut %d positions to %d".formatted(length, newLength));
        }
        length = newLength;
    }

    Layer layer(int index) {
        return layers.get(index);
    }

    void advance(int tokens) {
        length += tokens;
    }
}
