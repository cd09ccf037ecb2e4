package io.any4.model;

import io.any4.tinygemm.Buffer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.UnaryOperator;

/// One transformer block: attention, then a feed-forward network, each reading a normalised residual and adding to it.
record Block(Norm attentionNorm, Attention attention, Norm feedForwardNorm, FeedForward feedForward) {
    /// Updates the residual stream `[tokens, hidden]` in place, as block `index` of the model.
    void forward(Buffer residual, Pass pass, int index) {
        Buffer normed = pass.scratch().normed;
        attentionNorm.apply(pass.device(), residual, pass.tokens(), normed);
        attention.addTo(residual, normed, pass, index);
        feedForwardNorm.apply(pass.device(), residual, pass.tokens(), normed);
        feedForward.addTo(residual, normed, pass);
    }

    /// All linear layers in the order of execution, those that read the same input together.
    List<List<Linear>> inputGroups() {
        List<List<Linear>> groups = new ArrayList<>(attention.inputGroups());
        groups.addAll(feedForward.inputGroups());
        return groups;
    }

    /// The same block with every linear layer replaced by what `f` makes of it.
    Block map(UnaryOperator<Linear> f) {
        return new Block(attentionNorm, attention.map(f), feedForwardNorm, feedForward.map(f));
    }
}
