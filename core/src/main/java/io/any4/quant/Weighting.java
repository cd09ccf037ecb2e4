package io.any4.quant;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// How much the error of an element counts when a table is learned (arXiv 2507.04610, section 3.2).
///
/// Element `(i, j)` counts `a_j * s_ig^p`: `a_j` from the activations of channel `j`, `s_ig` the scale of its
/// group, so that errors are judged where they act, in the layer's output. Without statistics, or for a layer
/// that calibration never reached, every channel counts the same (`a_j = 1`) and the scale factor stays.
public enum Weighting {
    /// Every element counts 1, the scale factor included.
    NONE("none", 0),
    /// `|E x_j| * s`: what the paper's published runs use.
    MEAN("mean", 1),
    /// `|E x_j|` without the scale: a step of the paper's ablation.
    UNSCALED_MEAN("mean-unscaled", 0),
    /// `E|x_j| * s`: what the paper's text describes.
    MEAN_ABSOLUTE("mean-abs", 1),
    /// `E[x_j^2] * s^2`: the expected squared error of the output, if channels are uncorrelated.
    SECOND_MOMENT("second-moment", 2);

    private final String id;
    private final int scalePower;

    Weighting(String id, int scalePower) {
        this.id = id;
        this.scalePower = scalePower;
    }

    /// The name users write.
    public String id() {
        return id;
    }

    /// The power of the group scale in an element's weight.
    int scalePower() {
        return scalePower;
    }

    /// The factor `a_j` of every channel, scaled to a mean of 1.
    float[] channelFactors(int channels, @Nullable ChannelStatistics statistics) {
        float[] factors = new float[channels];
        Arrays.fill(factors, 1f);
        if (this == NONE || statistics == null || statistics.tokens() == 0) {
            return factors;
        }
        double[] source = switch (this) {
            case NONE, SECOND_MOMENT -> statistics.secondMoment();
            case MEAN, UNSCALED_MEAN -> statistics.mean();
            case MEAN_ABSOLUTE -> statistics.meanAbsolute();
        };
        double sum = 0;
        for (double value : source) {
            sum += Math.abs(value);
        }
        if (sum > 0) {
            for (int j = 0; j < channels; j++) {
                factors[j] = (float) (Math.abs(source[j]) * channels / sum);
            }
        }
        return factors;
    }
}
