package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// A sparse mixture of experts (arXiv 2401.04088, section 2.1): each token goes to its few best-scored experts, whose
/// outputs are weighted by the softmax over just those scores.
record Moe(Linear router, List<Mlp> experts, int perToken) implements FeedForward {
    @Override
    public void addTo(Buffer residual, Buffer x, Pass pass) {
        Device device = pass.device();
        Scratch scratch = pass.scratch();
        int width = router.matrix().columns();
        Routing routing = route(pass, x);
        for (int e = 0; e < experts.size(); e++) {
            int[] tokens = routing.tokens(e);
            if (tokens.length > 0) {
                device.gather(x, tokens, width, scratch.routed);
                Buffer out = experts.get(e).apply(pass, scratch.routed, tokens.length);
                device.scatterAdd(out, tokens, routing.shares(e), width, residual);
            }
        }
    }

    private Routing route(Pass pass, Buffer x) {
        router.apply(pass, x, pass.tokens(), pass.scratch().scores);
        float[] scores = new float[pass.tokens() * experts.size()];
        pass.device().read(pass.scratch().scores, 0, scores, scores.length);
        return Routing.of(scores, experts.size(), perToken);
    }

    @Override
    public List<List<Linear>> inputGroups() {
        List<List<Linear>> groups = new ArrayList<>();
        groups.add(List.of(router));
        experts.forEach(expert -> groups.addAll(expert.inputGroups()));
        return groups;
    }

    @Override
    public Moe map(UnaryOperator<Linear> f) {
        return new Moe(
                f.apply(router), experts.stream().map(expert -> expert.map(f)).toList(), perToken);
    }
}
