package io.any4.model;

import io.any4.tensor.DType;
import io.any4.tensor.Floats;

/// Rotary position embedding (arXiv 2104.09864): the frequencies at which pairs of elements of a head turn with
/// position.
///
/// @param type how the frequencies are scaled beyond the context of pre-training
/// @param theta base of the geometric series of wavelengths
/// @param factor context extension factor; 1 for [Type#DEFAULT]
/// @param lowFrequencyFactor Llama 3 only: wavelengths above `originalContext / lowFrequencyFactor` are stretched
/// @param highFrequencyFactor Llama 3 only: wavelengths below `originalContext / highFrequencyFactor` are kept
/// @param originalContext Llama 3 only: positions seen in pre-training
/// @param precision type the frequencies are rounded to. F32 is what models are trained with and what transformers
///     loads; a model that was cast as a whole (`model.to(torch.bfloat16)`) has rounded frequencies, and then so have
///     the logits that were recorded from it
public record Rope(
        Type type,
        double theta,
        double factor,
        double lowFrequencyFactor,
        double highFrequencyFactor,
        int originalContext,
        DType precision) {
    /// The supported scalings.
    public enum Type {
        /// None.
        DEFAULT,
        /// Every position is divided by the factor (arXiv 2306.15595).
        LINEAR,
        /// Long wavelengths are stretched by the factor, short ones kept, with a ramp in between (Llama 3.1).
        LLAMA3
    }

    /// Plain rotary embedding.
    public static Rope plain(double theta) {
        return new Rope(Type.DEFAULT, theta, 1, 1, 1, 0, DType.F32);
    }

    /// The same embedding with frequencies rounded to another float type.
    public Rope rounded(DType narrow) {
        return new Rope(type, theta, factor, lowFrequencyFactor, highFrequencyFactor, originalContext, narrow);
    }

    /// Radians per position of each pair `(i, i + headDim / 2)`: `[headDim / 2]`, fastest first.
    public float[] inverseFrequencies(int headDim) {
        float[] frequencies = new float[headDim / 2];
        for (int i = 0; i < frequencies.length; i++) {
            float exact = (float) scale(Math.pow(theta, -2.0 * i / headDim));
            frequencies[i] = Floats.round(exact, precision);
        }
        return frequencies;
    }

    private double scale(double frequency) {
        return switch (type) {
            case DEFAULT -> frequency;
            case LINEAR -> frequency / factor;
            case LLAMA3 -> {
                double turns = originalContext * frequency / (2 * Math.PI); // full turns within the original context
                double kept = (turns - lowFrequencyFactor) / (highFrequencyFactor - lowFrequencyFactor);
                double ramp = Math.clamp(kept, 0, 1);
                yield (1 - ramp) * frequency / factor + ramp * frequency;
            }
        };
    }
}
