package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import java.util.List;
import java.util.function.UnaryOperator;

/// The gated feed-forward network `down(silu(gate(x)) * up(x))` (SwiGLU, arXiv 2002.05202).
record Mlp(Linear gate, Linear up, Linear down) implements FeedForward {
    @Override
    public void addTo(Buffer residual, Buffer x, Pass pass) {
        int tokens = pass.tokens();
        Buffer out = apply(pass, x, tokens);
        pass.device().add(residual, out, (long) tokens * down.matrix().rows());
    }

    /// The output for the first `tokens` rows of x, in a scratch buffer.
    Buffer apply(Pass pass, Buffer x, int tokens) {
        Device device = pass.device();
        Scratch scratch = pass.scratch();
        gate.apply(pass, x, tokens, scratch.gate);
        up.apply(pass, x, tokens, scratch.up);
        device.swiglu(scratch.gate, scratch.up, (long) tokens * gate.matrix().rows(), scratch.gate);
        down.apply(pass, scratch.gate, tokens, scratch.projected);
        return scratch.projected;
    }

    @Override
    public List<List<Linear>> inputGroups() {
        return List.of(List.of(gate, up), List.of(down));
    }

    @Override
    public Mlp map(UnaryOperator<Linear> f) {
        return new Mlp(f.apply(gate), f.apply(up), f.apply(down));
    }
}
