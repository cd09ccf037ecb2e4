package io.any4.quant;

/// What calibration learned about the input channels of one linear layer; every array has one entry per input
/// feature.
///
/// @param mean mean of the activations, signed
/// @param meanAbsolute mean of their absolute values
/// @param secondMoment mean of their squares: the diagonal of the layer's Hessian, up to a factor
/// @param tokens tokens the means were taken over; 0 if no token reached the layer
public record ChannelStatistics(double[] mean, double[] meanAbsolute, double[] secondMoment, long tokens) {
    public ChannelStatistics {
        if (mean.length != meanAbsolute.length || mean.length != secondMoment.length) {
            throw new IllegalArgumentException("the statistics disagree on the number of channels");
        }
    }

    /// Input features.
    public int channels() {
        return mean.length;
    }

    /// The statistics of the same inputs, channel `j` divided by `scales[j] > 0`.
    public ChannelStatistics scaledBy(float[] scales) {
        int channels = channels();
        double[] scaledMean = new double[channels];
        double[] scaledMeanAbsolute = new double[channels];
        double[] scaledSecondMoment = new double[channels];
        for (int j = 0; j < channels; j++) {
            double scale = scales[j];
            scaledMean[j] = mean[j] / scale;
            scaledMeanAbsolute[j] = meanAbsolute[j] / scale;
            scaledSecondMoment[j] = secondMoment[j] / (scale * scale);
        }
        return new ChannelStatistics(scaledMean, scaledMeanAbsolute, scaledSecondMoment, tokens);
    }
}
