package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;

/// How the next token is chosen from the logits.
///
/// The filters apply in the order of the parameters, as in transformers: temperature, then top-k, then top-p. A random
/// number is a function of the seed and of how many came before it, so that no device has to remember a state.
///
/// @param temperature logits are divided by it; 0 always takes the likeliest token
/// @param topK only that many likeliest tokens stay in the draw; 0 for all
/// @param topP only the likeliest tokens that together have at least this probability stay (nucleus sampling,
///     arXiv 1904.09751); 1 for all
/// @param seed of the random draws: the same seed gives the same choices
public record Sampling(double temperature, int topK, double topP, long seed) {
    /// Always the likeliest token.
    public static final Sampling GREEDY = new Sampling(0, 0, 1, 0);

    public Sampling {
        if (!(temperature >= 0) || Double.isInfinite(temperature)) {
            throw new InvalidInputException(
                    "the temperature must be 0 (always the likeliest token) or a positive number, not " + temperature);
        }
        if (topK < 0) {
            throw new InvalidInputException("top-k must be a positive number, or 0 for no limit, not " + topK);
        }
        if (!(topP > 0 && topP <= 1)) {
            throw new InvalidInputException("top-p must be above 0 and at most 1, not " + topP);
        }
    }

    /// The random number of a draw, at least 0 and below 1: what `SplittableRandom` gives for the seed after `draw`
    /// others.
    ///
    /// @param draw counted from 0
    public double random(int draw) {
        return (SplitMix.at(seed, draw) >>> 11) * 0x1.0p-53;
    }

    /// Draws from the whole distribution.
    public static Sampling of(double temperature, long seed) {
        return new Sampling(temperature, 0, 1, seed);
    }
}
