package io.any4.eval.tasks;

/// What a model answered to one [Request].
public sealed interface Response {
    /// Answers a [Request.Likelihood].
    ///
    /// @param logLikelihood natural logarithm of the continuation's probability: the sum over its tokens
    /// @param greedy whether each of its tokens was the likeliest one
    record Scored(double logLikelihood, boolean greedy) implements Response {}

    /// Answers a [Request.Generation].
    record Generated(String text) implements Response {}
}
