package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Linear;
import io.any4.model.Tap;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/// How much each linear layer's relative squared weight error costs the model: the coefficients of the linear model of
/// HIGGS (arXiv 2411.17525, section 4), with the mean KL divergence from the unquantized model as the cost.
///
/// To one layer at a time Gaussian noise of known relative size is added, and the model is run on the calibration data
/// from there on; the coefficient is the slope of the divergence over the squared size. Nothing but forward passes.
public final class Sensitivities {
    /// The squared sizes of the noise: what formats of 4 and 3 bits do to a weight.
    private static final double[] NOISE = {0.01, 0.04};

    /// Tokens that are run at most; the reference takes 4 bytes x tokens x vocabulary.
    private static final int MOST_TOKENS = 512;

    private final Decoder decoder;
    private final Team team;
    private final long seed;
    private final int vocabulary;
    private final List<int[]> windows = new ArrayList<>();
    private final List<float[]> states = new ArrayList<>();
    private final List<float[]> reference = new ArrayList<>();
    private final Buffer residual;

    private Sensitivities(Decoder decoder, CalibrationData data, long seed, Team team) {
        this.decoder = decoder;
        this.team = team;
        this.seed = seed;
        vocabulary = decoder.config().vocabSize();
        int left = MOST_TOKENS;
        for (int[] window : data.windows()) {
            int[] cut = Arrays.copyOf(window, Math.min(window.length, left));
            if (cut.length > 0) {
                windows.add(cut);
            }
            left -= cut.length;
        }
        int longest = windows.stream().mapToInt(window -> window.length).max().orElseThrow();
        residual = decoder.device().allocate((long) longest * width());
    }

    /// Measures all layers of the blocks.
    ///
    /// Changes the decoder's weights meanwhile: use it for nothing else.
    ///
    /// @param data of which the first tokens are used
    /// @param seed of the noise
    /// @return by module path, in the order of execution; never negative
    /// @throws io.any4.checkpoint.InvalidInputException if a sequence exceeds the model's context
    public static SequencedMap<String, Double> measure(
            Decoder decoder, CalibrationData data, long seed, Team team, CalibrationListener listener) {
        return new Sensitivities(decoder, data, seed, team).measure(listener);
    }

    private SequencedMap<String, Double> measure(CalibrationListener listener) {
        embed();
        for (int w = 0; w < windows.size(); w++) {
            reference.add(logits(w, 0));
        }
        int blocks = decoder.config().layers();
        SequencedMap<String, Double> slopes = new LinkedHashMap<>();
        for (int block = 0; block < blocks; block++) {
            for (List<Linear> group : decoder.inputGroups(block)) {
                for (Linear linear : group) {
                    slopes.put(linear.name(), slope(block, linear));
                }
            }
            advance(block);
            listener.progress(block + 1, blocks);
        }
        return slopes;
    }

    private void embed() {
        for (int[] window : windows) {
            decoder.requireRunnable(window);
            decoder.embed(window, residual);
            states.add(read(window.length));
        }
    }

    private float[] read(int tokens) {
        float[] state = new float[tokens * width()];
        decoder.device().read(residual, 0, state, state.length);
        return state;
    }

    private int width() {
        return decoder.config().hiddenSize();
    }

    /// The logits of a window, from the input of a block on.
    private float[] logits(int window, int from) {
        int tokens = windows.get(window).length;
        decoder.device().write(states.get(window), residual, 0);
        for (int block = from; block < decoder.config().layers(); block++) {
            decoder.block(block, residual, tokens, Tap.NONE);
        }
        decoder.finish(residual, tokens, Tap.NONE);
        float[] logits = new float[Math.multiplyExact(tokens, vocabulary)];
        decoder.logits(residual, 0, tokens, logits);
        return logits;
    }

    private void advance(int block) {
        for (int w = 0; w < windows.size(); w++) {
            int tokens = windows.get(w).length;
            decoder.device().write(states.get(w), residual, 0);
            decoder.block(block, residual, tokens, Tap.NONE);
            states.set(w, read(tokens));
        }
    }

    /// Least squares through the origin.
    private double slope(int block, Linear linear) {
        Weight original = linear.matrix().weight();
        double numerator = 0;
        double denominator = 0;
        for (double size : NOISE) {
            try (Arena arena = Arena.ofShared()) {
                decoder.replace(block, Map.of(linear.name(), noisy(original, size, linear.name(), arena)));
                try {
                    numerator += size * divergence(block);
                } finally {
                    decoder.replace(block, Map.of(linear.name(), original));
                }
            }
            denominator += size * size;
        }
        return numerator / denominator;
    }

    /// Every row with noise of its own size.
    private Weight noisy(Weight original, double squaredSize, String name, Arena arena) {
        Random random = new Random(31 * seed + name.hashCode());
        Tensor values = Tensor.allocate(arena, DType.F32, original.rows(), original.columns());
        float[] row = new float[original.columns()];
        for (int i = 0; i < original.rows(); i++) {
            original.dequantizeRow(i, row, 0);
            double sum = 0;
            for (float weight : row) {
                sum += (double) weight * weight;
            }
            double deviation = Math.sqrt(squaredSize * sum / row.length);
            for (int j = 0; j < row.length; j++) {
                values.setFloat((long) i * row.length + j, (float) (row[j] + deviation * random.nextGaussian()));
            }
        }
        return new DenseWeight(values);
    }

    private double divergence(int block) {
        double sum = 0;
        int count = 0;
        for (int w = 0; w < windows.size(); w++) {
            float[] expected = reference.get(w);
            float[] actual = logits(w, block);
            double[] divergences = new double[windows.get(w).length];
            team.run(divergences.length, 1, (from, to) -> {
                for (int t = from; t < to; t++) {
                    divergences[t] = divergence(expected, actual, t * vocabulary);
                }
            });
            for (double divergence : divergences) {
                sum += divergence;
            }
            count += divergences.length;
        }
        return Math.max(0, sum / count);
    }

    /// `KL(softmax(expected) || softmax(actual))` of one position, in nats.
    private double divergence(float[] expected, float[] actual, int from) {
        double expectedMass = logMass(expected, from);
        double actualMass = logMass(actual, from);
        double sum = 0;
        for (int v = from; v < from + vocabulary; v++) {
            double log = expected[v] - expectedMass;
            sum += Math.exp(log) * (log - actual[v] + actualMass);
        }
        return sum;
    }

    private double logMass(float[] logits, int from) {
        float largest = Float.NEGATIVE_INFINITY;
        for (int v = from; v < from + vocabulary; v++) {
            largest = Math.max(largest, logits[v]);
        }
        double sum = 0;
        for (int v = from; v < from + vocabulary; v++) {
            sum += Math.exp((double) logits[v] - largest);
        }
        return largest + Math.log(sum);
    }
}
