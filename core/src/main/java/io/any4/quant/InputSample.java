package io.any4.quant;

/// Rows of a linear layer's input, as calibration saw them.
///
/// @param values `[tokens, channels]`; not to be modified
public record InputSample(float[] values, int tokens, int channels) {
    public InputSample {
        if (tokens <= 0 || values.length < (long) tokens * channels) {
            throw new IllegalArgumentException(
                    "%d values are no %d tokens of %d channels".formatted(values.length, tokens, channels));
        }
    }
}
