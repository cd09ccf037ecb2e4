package io.any4.tinygemm;

/// Consecutive tokens of one sequence, as rows of a matrix of activations that may hold other sequences as well.
///
/// @param row of the first of them in the matrix
/// @param tokens how many
/// @param position of the first of them in its sequence
public record Span(int row, int tokens, int position) {
    /// A matrix that holds nothing else.
    public static Span alone(int tokens, int position) {
        return new Span(0, tokens, position);
    }
}
