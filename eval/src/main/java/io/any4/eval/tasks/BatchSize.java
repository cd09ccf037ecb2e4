package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import org.jspecify.annotations.Nullable;

/// How many requests are run side by side. Results do not depend on it; speed and memory do, for each has a cache of
/// its own.
///
/// @param asked by the user, or null for as many as suit their length
public record BatchSize(@Nullable Integer asked) {
    /// As many as suit their length.
    public static final BatchSize AUTOMATIC = new BatchSize(null);

    /// What caches have room for altogether: 0.5 GB for a model like Llama 3.2 1B. Of requests up to 256 tokens long it
    /// is [#MOST].
    private static final int POSITIONS = 8192;

    private static final int MOST = 32;

    public BatchSize {
        if (asked != null && asked < 1) {
            throw new InvalidInputException("a batch of %d requests makes no sense: give 1 or more".formatted(asked));
        }
    }

    /// The number for requests that are at most `length` tokens long.
    int of(int length) {
        return asked == null ? Math.clamp(POSITIONS / length, 1, MOST) : asked;
    }
}
