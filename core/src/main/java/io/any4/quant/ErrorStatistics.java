package io.any4.quant;

/// What quantization cost one or more matrices, as sums that can be added up.
///
/// The weighted sums count the squares of input channel `j` `E[x_j^2]` times: the expected squared error of the
/// layer's output if channels are uncorrelated. Without statistics they equal the plain ones.
///
/// @param elements weights
/// @param squaredError sum of the squared differences between stored and original weights
/// @param squaredWeight sum of the squared original weights
/// @param maxAbsoluteError the largest difference
/// @param weightedSquaredError like `squaredError`, weighted by the activations
/// @param weightedSquaredWeight like `squaredWeight`, weighted by the activations
public record ErrorStatistics(
        long elements,
        double squaredError,
        double squaredWeight,
        double maxAbsoluteError,
        double weightedSquaredError,
        double weightedSquaredWeight) {
    /// The statistics of no weights at all.
    public static final ErrorStatistics EMPTY = new ErrorStatistics(0, 0, 0, 0, 0, 0);

    /// Mean squared error per weight.
    public double meanSquaredError() {
        return elements == 0 ? 0 : squaredError / elements;
    }

    /// Squared error relative to the squared weights; 0 for weights that are all zero.
    public double relativeError() {
        return squaredWeight == 0 ? 0 : squaredError / squaredWeight;
    }

    /// Expected squared error of the output relative to the output, for uncorrelated channels.
    public double relativeOutputError() {
        return weightedSquaredWeight == 0 ? 0 : weightedSquaredError / weightedSquaredWeight;
    }

    /// The statistics of both sets of weights together.
    public ErrorStatistics plus(ErrorStatistics other) {
        return new ErrorStatistics(
                elements + other.elements,
                squaredError + other.squaredError,
                squaredWeight + other.squaredWeight,
                Math.max(maxAbsoluteError, other.maxAbsoluteError),
                weightedSquaredError + other.weightedSquaredError,
                weightedSquaredWeight + other.weightedSquaredWeight);
    }

    /// Of one row, given what is stored for it; `channelFactors` are the `E[x_j^2]` up to a common factor.
    static ErrorStatistics ofRow(float[] original, float[] stored, float[] channelFactors) {
        double error = 0;
        double weight = 0;
        double max = 0;
        double weightedError = 0;
        double weightedWeight = 0;
        for (int j = 0; j < original.length; j++) {
            double w = original[j];
            double difference = stored[j] - w;
            double squaredDifference = difference * difference;
            double factor = channelFactors[j];
            error += squaredDifference;
            weight += w * w;
            max = Math.max(max, Math.abs(difference));
            weightedError += factor * squaredDifference;
            weightedWeight += factor * w * w;
        }
        return new ErrorStatistics(original.length, error, weight, max, weightedError, weightedWeight);
    }
}
