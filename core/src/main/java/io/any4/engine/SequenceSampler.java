package io.any4.engine;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Sampler;
import io.any4.tinygemm.Sampling;

/// Chooses the tokens of one sequence from logits that the host has read; for one thread.
final class SequenceSampler {
    private final Sampling sampling;
    private final Sampler sampler = new Sampler();
    private int draws;

    SequenceSampler(Sampling sampling) {
        this.sampling = sampling;
    }

    /// The next token.
    ///
    /// @param logits one per entry of the vocabulary; left as they are
    /// @throws InvalidInputException if a logit is not a number, which only happens with damaged weights
    int next(float[] logits) {
        int id = sampler.choose(logits, logits.length, sampling, draws++);
        if (id == Sampler.NONE) {
            throw new InvalidInputException("the model computes logits that are not numbers: its weights are damaged");
        }
        return id;
    }
}
