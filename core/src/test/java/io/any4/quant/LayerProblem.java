package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.Random;

/// A made-up linear layer whose input channels are correlated and of very different size, with tokens to calibrate on
/// and others to be judged by.
final class LayerProblem {
    static final int ROWS = 16;
    static final int COLUMNS = 160;
    private static final int TOKENS = 1500;
    private static final int HELD_OUT = 600;
    private static final int RANK = 24;

    private final float[] weights = new float[ROWS * COLUMNS];
    private final double[][] calibration;
    private final double[][] heldOut;

    LayerProblem(long seed) {
        Random random = new Random(seed);
        double[] channelScale = new double[COLUMNS];
        double[][] directions = new double[RANK][COLUMNS];
        for (int j = 0; j < COLUMNS; j++) {
            channelScale[j] = Math.exp(0.7 * random.nextGaussian()) * (random.nextInt(100) == 0 ? 8 : 1);
            for (int r = 0; r < RANK; r++) {
                directions[r][j] = random.nextGaussian() / Math.sqrt(r + 1.0);
            }
        }
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (float) (0.02 * studentT(random, 6));
        }
        calibration = tokens(random, TOKENS, channelScale, directions);
        heldOut = tokens(random, HELD_OUT, channelScale, directions);
    }

    /// Heavier tails than the normal distribution's.
    private static double studentT(Random random, int freedom) {
        double squares = 0;
        for (int k = 0; k < freedom; k++) {
            double normal = random.nextGaussian();
            squares += normal * normal;
        }
        return random.nextGaussian() / Math.sqrt(squares / freedom);
    }

    private static double[][] tokens(Random random, int count, double[] channelScale, double[][] directions) {
        double[][] tokens = new double[count][COLUMNS];
        for (double[] token : tokens) {
            for (double[] direction : directions) {
                double amount = random.nextGaussian();
                for (int j = 0; j < COLUMNS; j++) {
                    token[j] += amount * direction[j];
                }
            }
            for (int j = 0; j < COLUMNS; j++) {
                token[j] = (token[j] + 0.7 * random.nextGaussian()) * channelScale[j];
            }
        }
        return tokens;
    }

    float[] weights() {
        return weights;
    }

    double[][] calibration() {
        return calibration;
    }

    double[][] heldOut() {
        return heldOut;
    }

    Tensor tensor() {
        return Tensor.ofFloats(weights, ROWS, COLUMNS);
    }

    ChannelStatistics statistics() {
        double[] mean = new double[COLUMNS];
        double[] meanAbsolute = new double[COLUMNS];
        double[] secondMoment = new double[COLUMNS];
        for (double[] token : calibration) {
            for (int j = 0; j < COLUMNS; j++) {
                mean[j] += token[j] / TOKENS;
                meanAbsolute[j] += Math.abs(token[j]) / TOKENS;
                secondMoment[j] += token[j] * token[j] / TOKENS;
            }
        }
        return new ChannelStatistics(mean, meanAbsolute, secondMoment, TOKENS);
    }

    /// The mean of the outer products of the calibration tokens.
    double[][] hessian() {
        return products(calibration, calibration);
    }

    /// The mean over tokens of the outer products of x and y.
    static double[][] products(double[][] x, double[][] y) {
        double[][] products = new double[COLUMNS][COLUMNS];
        for (int t = 0; t < x.length; t++) {
            for (int i = 0; i < COLUMNS; i++) {
                for (int j = 0; j < COLUMNS; j++) {
                    products[i][j] += x[t][i] * y[t][j] / x.length;
                }
            }
        }
        return products;
    }

    Weight quantize(String spec) {
        try (Team team = new Team(1)) {
            return QuantizationSpec.parse(spec).quantizer().quantize(tensor(), statistics(), team, RowListener.NONE);
        }
    }

    /// The squared error of the layer's output on the held-out tokens, relative to the output.
    double outputError(Weight weight) {
        return outputError(IntGoldenTest.values(weight));
    }

    double outputError(float[] stored) {
        double error = 0;
        double size = 0;
        for (double[] token : heldOut) {
            for (int row = 0; row < ROWS; row++) {
                double difference = 0;
                double output = 0;
                for (int j = 0; j < COLUMNS; j++) {
                    int at = row * COLUMNS + j;
                    difference += ((double) stored[at] - weights[at]) * token[j];
                    output += weights[at] * token[j];
                }
                error += difference * difference;
                size += output * output;
            }
        }
        return error / size;
    }
}
