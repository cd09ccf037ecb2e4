package io.any4.model;

import io.any4.tinygemm.Span;

/// What one sequence has in a pass.
///
/// @param span its rows of the activations
/// @param cache which ends where the span begins
record Part(Span span, KvCache cache) {
    /// Of the first of its tokens in the sequence.
    int position() {
        return cache.length();
    }

    /// Notes that the tokens have been run.
    void advance() {
        cache.advance(span.tokens());
    }
}
