package io.any4.engine;

import io.any4.checkpoint.InvalidInputException;
import java.util.SplittableRandom;

/// Chooses tokens as a [Sampling] says; one per sequence, for one thread.
public final class Sampler {
    private final Sampling sampling;
    private final SplittableRandom random;
    private final Ranking ranking = new Ranking();
    private double[] weights = new double[0];

    public Sampler(Sampling sampling) {
        this.sampling = sampling;
        this.random = new SplittableRandom(sampling.seed());
    }

    /// The next token.
    ///
    /// @param logits one per entry of the vocabulary; left as they are
    public int next(float[] logits) {
        int best = likeliest(logits);
        if (sampling.temperature() == 0) {
            return best;
        }
        weigh(logits, logits[best]);
        return sampling.topK() == 0 && sampling.topP() == 1 ? drawFromAll() : drawFromBest();
    }

    /// The token with the largest logit; the first of equals.
    ///
    /// @throws InvalidInputException if a logit is not a number, which only happens with damaged weights
    public static int likeliest(float[] logits) {
        int best = 0;
        boolean finite = true;
        for (int i = 0; i < logits.length; i++) {
            finite &= !Float.isNaN(logits[i]);
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        if (!finite) {
            throw new InvalidInputException("the model computes logits that are not numbers: its weights are damaged");
        }
        return best;
    }

    /// Unnormalised probabilities; the likeliest token has 1.
    private void weigh(float[] logits, float largest) {
        if (weights.length != logits.length) {
            weights = new double[logits.length];
        }
        for (int i = 0; i < logits.length; i++) {
            weights[i] = Math.exp((logits[i] - largest) / sampling.temperature());
        }
    }

    private int drawFromAll() {
        double left = random.nextDouble() * sum(weights);
        int last = 0;
        for (int i = 0; i < weights.length; i++) {
            if (weights[i] > 0) {
                last = i;
                left -= weights[i];
                if (left < 0) {
                    return i;
                }
            }
        }
        return last; // rounding used up the sum
    }

    private int drawFromBest() {
        ranking.of(weights);
        int limit = sampling.topK() == 0 ? weights.length : Math.min(sampling.topK(), weights.length);
        double total = sampling.topK() == 0 ? sum(weights) : sumOfBest(limit);
        int kept = 0;
        double mass = 0;
        while (kept < limit && (kept == 0 || mass < sampling.topP() * total)) {
            mass += weights[ranking.at(kept++)];
        }
        double left = random.nextDouble() * mass;
        int rank = 0;
        while (rank < kept - 1 && (left -= weights[ranking.at(rank)]) >= 0) {
            rank++;
        }
        return ranking.at(rank);
    }

    private double sumOfBest(int count) {
        double sum = 0;
        for (int rank = 0; rank < count; rank++) {
            sum += weights[ranking.at(rank)];
        }
        return sum;
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }
}
