package io.any4.eval.tasks;

/// A tokenized request.
///
/// @param input what the model reads: everything but the last token
/// @param target the continuation's tokens; the last positions of the input predict them
/// @param index of the request
record Sequence(int[] input, int[] target, int index) {
    /// Tokens of the input that belong to the context alone.
    int context() {
        return input.length + 1 - target.length;
    }
}
