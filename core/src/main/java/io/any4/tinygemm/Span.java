package io.any4.tinygemm;

/// Consecutive tokens of one sequence, as rows of a matrix of activations that may hold other sequences as well.
/// Where they are in their sequence is not part of it: so the span of a token that is generated is always the same.
///
/// @param row of the first of them in the matrix
/// @param tokens how many
public record Span(int row, int tokens) {
    /// A matrix that holds nothing else.
    public static Span alone(int tokens) {
        return new Span(0, tokens);
    }
}
