package io.any4.model;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Span;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/// The keys and values of one sequence: what attention remembers of the tokens so far.
///
/// Belongs to the decoder that made it ([Decoder#newCache]). Of floats its memory is allocated once, for `capacity`
/// positions; quantized (see [KvFormat]) it grows with the sequence, beside room for one layer in F32. Truncating a
/// quantized cache leaves the last block as it was stored.
public final class KvCache {
    private final List<KvLayer> layers;
    private final int capacity;
    private final List<Part> newest = List.of(new Part(Span.alone(1), this));
    private int length;

    private KvCache(List<KvLayer> layers, int capacity) {
        this.layers = List.copyOf(layers);
        this.capacity = capacity;
    }

    static KvCache allocate(Device device, ModelConfig config, int capacity, KvFormat format) {
        List<KvLayer> layers = new ArrayList<>();
        switch (format) {
            case KvFormat.Dense(DType dtype) -> {
                for (int layer = 0; layer < config.layers(); layer++) {
                    layers.add(DenseKvLayer.allocate(device, dtype, config.attention(layer), capacity));
                }
            }
            case KvFormat.Quantized quantized -> {
                KvWorkspace workspace = new KvWorkspace(device, config.attention(0), capacity);
                for (int layer = 0; layer < config.layers(); layer++) {
                    layers.add(new QuantizedKvLayer(quantized, workspace, config.attention(layer)));
                }
            }
        }
        return new KvCache(layers, capacity);
    }

    /// The memory of one layer, for whichever layer is run next: for running blocks by themselves.
    static KvCache ofOneLayer(Device device, ModelConfig config, int capacity) {
        KvLayer layer = DenseKvLayer.allocate(device, DType.F32, config.attention(0), capacity);
        return new KvCache(Collections.nCopies(config.layers(), layer), capacity);
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
        layers.forEach(layer -> layer.truncate(newLength));
    }

    /// Bytes that the positions in use take.
    public long bytes() {
        return layers.stream().mapToLong(layer -> layer.bytes(length)).sum();
    }

    void requireRoom(int tokens) {
        if (tokens > remaining()) {
            throw new InvalidInputException(
                    "%d tokens after %d others do not fit into %d positions: shorten the text or enlarge the context"
                            .formatted(tokens, length, capacity));
        }
    }

    /// This sequence's next token as all there is in a pass.
    List<Part> newest() {
        return newest;
    }

    KvLayer layer(int index) {
        return layers.get(index);
    }

    void advance(int tokens) {
        length += tokens;
    }
}
