package io.any4.model;

import io.any4.tinygemm.Buffer;
import java.util.List;
import java.util.function.UnaryOperator;

/// The half of a block that treats each token by itself: one dense network, or a mixture of experts.
sealed interface FeedForward permits Mlp, Moe {
    /// Adds the output for x, the normalised residual, to the residual.
    void addTo(Buffer residual, Buffer x, Pass pass);

    /// All linear layers, those that read the same input together.
    List<List<Linear>> inputGroups();

    FeedForward map(UnaryOperator<Linear> f);
}
