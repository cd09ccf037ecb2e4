package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Routes;
import org.jspecify.annotations.Nullable;

/// The working buffers of a forward pass, shared by all blocks and reused by every call.
final class Scratch {
    /// `[tokens, hidden]`: the residual stream.
    final Buffer residual;
    /// `[tokens, hidden]`: the normalised input of a sublayer.
    final Buffer normed;
    /// `[tokens, hidden]`: the output of a sublayer, or of one expert; or `[slots, hidden]`, see [Routes].
    final Buffer projected;
    /// `[tokens, heads * headDim]`, as is [#attended].
    final Buffer queries;
    final Buffer attended;
    /// `[tokens, kvHeads * headDim]`, as is [#values].
    final Buffer keys;
    final Buffer values;
    /// `[tokens, intermediate]` or `[slots, intermediate]`, as is [#up].
    final Buffer gate;
    final Buffer up;
    /// `[tokens, hidden]`: the rows routed to one expert; empty without experts.
    final Buffer routed;
    /// `[tokens, experts]`: the router's scores; empty without experts.
    final Buffer scores;
    /// `[tokens, experts per token, 2]`: what the router has chosen; empty without experts.
    private final Buffer routes;

    private final int tokens;
    private final int perToken;
    private @Nullable Routes routing;
    private @Nullable Buffer transformed;

    Scratch(Device device, ModelConfig config, int tokens) {
        this.tokens = tokens;
        long hidden = (long) tokens * config.hiddenSize();
        long queryWidth = (long) tokens * config.attention(0).queryWidth();
        long kvWidth = (long) tokens * config.attention(0).kvWidth();
        ModelConfig.Experts experts = config.experts();
        perToken = experts == null ? 1 : experts.perToken();
        long slots = Math.max(tokens, Math.min(tokens, Moe.FEW) * perToken);
        long intermediate = slots * config.intermediateSize();
        residual = device.allocate(hidden);
        normed = device.allocate(hidden);
        projected = device.allocate(slots * config.hiddenSize());
        queries = device.allocate(queryWidth);
        attended = device.allocate(queryWidth);
        keys = device.allocate(kvWidth);
        values = device.allocate(kvWidth);
        gate = device.allocate(intermediate);
        up = device.allocate(intermediate);
        routed = device.allocate(experts == null ? 0 : hidden);
        scores = device.allocate(experts == null ? 0 : (long) tokens * experts.count());
        routes = device.allocate(experts == null ? 0 : 2L * tokens * perToken);
    }

    /// What the router has to choose for the tokens of a pass.
    Routes routes(int count) {
        Routes known = routing;
        if (known == null || known.tokens() != count) {
            known = new Routes(routes, count, perToken);
            routing = known;
        }
        return known;
    }

    /// Room for the transformed input of a layer; most models never ask.
    Buffer transformed(Device device, long length) {
        Buffer buffer = transformed;
        if (buffer == null || buffer.length() < length) {
            buffer = device.allocate(length);
            transformed = buffer;
        }
        return buffer;
    }

    /// Tokens a pass may have.
    int tokens() {
        return tokens;
    }
}
