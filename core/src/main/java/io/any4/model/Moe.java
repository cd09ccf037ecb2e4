package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Routes;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A sparse mixture of experts (arXiv 2401.04088, section 2.1): each token goes to its few best-scored experts, whose
/// outputs are weighted by the softmax over just those scores.
///
/// Few tokens are never seen by the host: the device reads its own choices. Of many, those of one expert are brought
/// together, so that each expert's weights are read once.
final class Moe implements FeedForward {
    /// Tokens up to which each fetches its experts' weights for itself.
    static final int FEW = 8;

    private final Device device;
    private final Linear router;
    private final List<Mlp> experts;
    private final int perToken;
    private final @Nullable StackedMlp stacked;

    Moe(Device device, Linear router, List<Mlp> experts, int perToken) {
        this.device = device;
        this.router = router;
        this.experts = List.copyOf(experts);
        this.perToken = perToken;
        this.stacked = StackedMlp.of(device, experts);
    }

    @Override
    public void addTo(Buffer residual, Buffer x, Pass pass) {
        Scratch scratch = pass.scratch();
        Routes routes = scratch.routes(pass.tokens());
        router.apply(pass, x, pass.tokens(), scratch.scores);
        device.route(scratch.scores, experts.size(), routes);
        if (stacked != null && pass.tokens() <= FEW && pass.tap() == Tap.NONE) {
            stacked.addTo(residual, x, pass, routes);
        } else {
            addByExpert(residual, x, pass, read(routes));
        }
    }

    private Routing read(Routes routes) {
        float[] pairs = new float[2 * routes.slots()];
        device.read(routes.pairs(), 0, pairs, pairs.length);
        return Routing.of(pairs, experts.size(), perToken);
    }

    private void addByExpert(Buffer residual, Buffer x, Pass pass, Routing routing) {
        int width = router.matrix().columns();
        Buffer routed = pass.scratch().routed;
        for (int e = 0; e < experts.size(); e++) {
            int[] tokens = routing.tokens(e);
            if (tokens.length > 0) {
                device.gather(x, tokens, width, routed);
                Buffer out = experts.get(e).apply(pass, routed, tokens.length);
                device.scatterAdd(out, tokens, routing.shares(e), width, residual);
            }
        }
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
        List<Mlp> mapped = experts.stream().map(expert -> expert.map(f)).toList();
        return new Moe(device, f.apply(router), mapped, perToken);
    }
}
