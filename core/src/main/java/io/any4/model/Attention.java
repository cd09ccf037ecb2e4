package io.any4.model;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Span;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// Causal self-attention with rotary positions, grouped key-value heads and an optional sliding window.
///
/// @param queryNorm norm of each query head before rotation (Qwen3), or null; likewise `keyNorm`
/// @param frequencies `[headDim / 2]`, see [Rope#inverseFrequencies]
record Attention(
        AttentionShape shape,
        Linear query,
        Linear key,
        Linear value,
        Linear output,
        @Nullable Norm queryNorm,
        @Nullable Norm keyNorm,
        Buffer frequencies) {
    /// Adds the attention output for x, the normalised residual, to the residual. Products are of all tokens; only
    /// positions and caches are each sequence's own.
    ///
    /// @param layer of the caches
    void addTo(Buffer residual, Buffer x, Pass pass, int layer) {
        Device device = pass.device();
        Scratch scratch = pass.scratch();
        int tokens = pass.tokens();
        query.apply(pass, x, tokens, scratch.queries);
        key.apply(pass, x, tokens, scratch.keys);
        value.apply(pass, x, tokens, scratch.values);
        if (queryNorm != null && keyNorm != null) {
            queryNorm.apply(device, scratch.queries, tokens * shape.heads(), scratch.queries);
            keyNorm.apply(device, scratch.keys, tokens * shape.kvHeads(), scratch.keys);
        }
        for (int i = 0; i < pass.parts().size(); i++) {
            Part part = pass.parts().get(i);
            attend(device, scratch, part.span(), part.position(), part.cache().layer(layer));
        }
        output.apply(pass, scratch.attended, tokens, scratch.projected);
        device.add(residual, scratch.projected, (long) tokens * output.matrix().rows());
    }

    private void attend(Device device, Scratch scratch, Span span, int position, KvLayer cache) {
        device.rope(scratch.queries, frequencies, shape.heads(), shape.headDim(), span, position);
        device.rope(scratch.keys, frequencies, shape.kvHeads(), shape.headDim(), span, position);
        cache.attend(device, shape, scratch.queries, scratch.keys, scratch.values, span, position, scratch.attended);
    }

    List<List<Linear>> inputGroups() {
        return List.of(List.of(query, key, value), List.of(output));
    }

    Attention map(UnaryOperator<Linear> f) {
        return new Attention(
                shape, f.apply(query), f.apply(key), f.apply(value), f.apply(output), queryNorm, keyNorm, frequencies);
    }
}
