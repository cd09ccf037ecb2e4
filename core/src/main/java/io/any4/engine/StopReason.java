package io.any4.engine;

/// Why a generation ended.
public enum StopReason {
    /// The model produced a token that ends the sequence.
    END_OF_SEQUENCE,
    /// As many tokens as were asked for.
    MAX_TOKENS,
    /// The model's context is full.
    CONTEXT_FULL,
    /// The listener said so.
    LISTENER
}
