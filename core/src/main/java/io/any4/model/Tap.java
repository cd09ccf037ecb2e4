package io.any4.model;

import io.any4.tinygemm.Buffer;

/// Watches the inputs of linear layers while a model runs; this is how calibration sees activations.
@FunctionalInterface
public interface Tap {
    /// Watches nothing.
    Tap NONE = (linear, x, tokens) -> {};

    /// Called before every linear layer is applied, and with `lm_head` for the final hidden states.
    ///
    /// @param linear module path of the layer, such as `model.layers.0.mlp.down_proj`
    /// @param x `[tokens, in_features]` as the weight meets it, input transforms included; valid during the call
    ///     only
    void input(String linear, Buffer x, int tokens);
}
