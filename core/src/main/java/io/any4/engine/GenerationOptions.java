package io.any4.engine;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Sampling;
import java.util.Set;

/// How long to generate and how to choose.
///
/// @param maxTokens new tokens at most
/// @param stopIds tokens that end the sequence
public record GenerationOptions(int maxTokens, Sampling sampling, Set<Integer> stopIds) {
    public GenerationOptions {
        if (maxTokens <= 0) {
            throw new InvalidInputException("the number of new tokens must be positive, not " + maxTokens);
        }
        stopIds = Set.copyOf(stopIds);
    }
}
