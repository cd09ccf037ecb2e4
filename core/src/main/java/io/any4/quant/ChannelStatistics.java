package io.any4.quant;

/// What calibration learned about the input channels of one linear layer; every array has one entry per input feature.
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
}
