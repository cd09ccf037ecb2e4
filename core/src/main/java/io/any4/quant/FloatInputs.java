package io.any4.quant;

import io.any4.tinygemm.FloatActivations;
import io.any4.tinygemm.FpFormat;
import io.any4.tinygemm.Team;
import java.util.ArrayList;
import java.util.List;

/// The other half of [JointFloatSearch]: format and range of the inputs for given quantized weights.
final class FloatInputs {
    private static final double[] FACTORS = FloatGrid.clippingFactors();

    /// Tokens that are enough to find the candidates worth measuring exactly.
    private static final int SHORTLIST_TOKENS = 128;

    /// Stands in for the range of inputs that are all zero.
    private static final float LEAST_MAXIMUM = 1e-20f;

    private final float[][] inputs;
    private final float[] channelMaxima;
    private final float maximum;
    private final boolean shifted;
    private final int shortlist;
    private final Team team;
    private final List<FloatActivations> candidates = new ArrayList<>();
    private FloatActivations best;

    /// @param inputs `[tokens, columns]`, unquantized
    /// @param bits of the formats to choose from
    /// @param shifted whether channels have exponent biases that differ by whole numbers, or all the same
    FloatInputs(float[][] inputs, int bits, boolean shifted, int shortlist, Team team) {
        this.inputs = inputs;
        this.shifted = shifted;
        this.shortlist = shortlist;
        this.team = team;
        channelMaxima = new float[inputs[0].length];
        float largest = LEAST_MAXIMUM;
        for (float[] row : inputs) {
            for (int j = 0; j < row.length; j++) {
                channelMaxima[j] = Math.max(channelMaxima[j], Math.abs(row[j]));
                largest = Math.max(largest, channelMaxima[j]);
            }
        }
        maximum = largest;
        List<FpFormat> formats = FpFormat.ofBits(bits);
        for (FpFormat format : formats) {
            for (double factor : FACTORS) {
                candidates.add(activations(format, maximum * factor));
            }
        }
        best = activations(formats.get(formats.size() / 2), maximum);
    }

    /// The activations of a format whose largest number is `range`, in the channels with the widest range; others have
    /// up to `2^exponentBits - 1` more exponent bias, as much as their own maximum asks for. It is rounded, so
    /// that a channel is clipped at its maximum over the square root of 2 or above.
    private FloatActivations activations(FpFormat format, double range) {
        float scale = (float) (format.largest() / range);
        float[] scales = new float[channelMaxima.length];
        int mostShift = (1 << format.exponentBits()) - 1;
        for (int j = 0; j < scales.length; j++) {
            double own = Math.log(range / Math.max(channelMaxima[j], LEAST_MAXIMUM)) / Math.log(2);
            int shift = shifted ? (int) Math.clamp(Math.round(own), 0, mostShift) : 0;
            scales[j] = Math.scalb(scale, shift);
        }
        return new FloatActivations(format, scales);
    }

    FloatActivations best() {
        return best;
    }

    /// The inputs as the layer will see them.
    float[][] stored() {
        float[][] stored = new float[inputs.length][inputs[0].length];
        for (int t = 0; t < stored.length; t++) {
            best.apply(inputs[t], 0, stored[t], 0, 1);
        }
        return stored;
    }

    /// Chooses anew, never for the worse.
    ///
    /// @param weights quantized, `[rows, columns]`
    /// @param outputs `[rows, tokens]`, of the unquantized layer
    /// @return the squared error of the outputs, less the outputs' squares
    double search(float[][] weights, float[][] outputs) {
        QuadraticForm form = QuadraticForm.of(weights, team);
        double[] diagonal = new double[candidates.size()];
        float[] importance = form.diagonal();
        team.run(diagonal.length, 1, (from, to) -> {
            for (int c = from; c < to; c++) {
                diagonal[c] = diagonalError(candidates.get(c), importance);
            }
        });
        List<FloatActivations> tried = new ArrayList<>();
        for (int index : Shortlist.smallest(diagonal, shortlist)) {
            tried.add(candidates.get(index));
        }
        tried.add(best); // so that nothing gets worse
        double[] errors = exactErrors(tried, form, weights, outputs);
        int least = Shortlist.smallest(errors, 1)[0];
        best = tried.get(least);
        return errors[least];
    }

    private double diagonalError(FloatActivations candidate, float[] importance) {
        float[] work = new float[channelMaxima.length];
        double error = 0;
        for (int t = 0; t < inputs.length; t += Math.ceilDiv(inputs.length, SHORTLIST_TOKENS)) {
            float[] input = inputs[t];
            candidate.apply(input, 0, work, 0, 1);
            for (int j = 0; j < work.length; j++) {
                float difference = work[j] - input[j];
                work[j] = importance[j] * difference * difference;
            }
            error += Sums.of(work, 0, work.length);
        }
        return error;
    }

    private double[] exactErrors(
            List<FloatActivations> tried, QuadraticForm form, float[][] weights, float[][] outputs) {
        int count = tried.size();
        float[][] linear = new float[inputs.length][channelMaxima.length];
        QuadraticForm.products(
                QuadraticForm.transposed(outputs), weights.length, QuadraticForm.transposed(weights), linear, team);
        double[][] errors = new double[inputs.length][count];
        int together = Math.max(1, QuadraticForm.VECTORS / count);
        team.run(inputs.length, 1, (from, to) -> {
            QuadraticForm.Evaluator evaluator = form.new Evaluator();
            float[][] vectors = new float[together * count][channelMaxima.length];
            float[][] ofVector = new float[together * count][];
            double[] exact = new double[together * count];
            for (int t = from; t < to; t += together) {
                int tokens = Math.min(together, to - t);
                for (int v = 0; v < tokens * count; v++) {
                    tried.get(v % count).apply(inputs[t + v / count], 0, vectors[v], 0, 1);
                    ofVector[v] = linear[t + v / count];
                }
                evaluator.evaluate(vectors, ofVector, tokens * count, exact);
                for (int v = 0; v < tokens * count; v++) {
                    errors[t + v / count][v % count] = exact[v];
                }
            }
        });
        double[] sums = new double[count];
        for (double[] ofToken : errors) {
            for (int c = 0; c < count; c++) {
                sums[c] += ofToken[c];
            }
        }
        return sums;
    }
}
