package io.any4.tinygemm;

/// Chooses tokens as a [Sampling] says, with probabilities in double: what the choices of other devices are compared
/// with. Keeps its working memory; for one thread.
public final class Sampler {
    /// What is chosen where a logit is not a number.
    public static final int NONE = -1;

    private final Ranking ranking = new Ranking();
    private double[] weights = new double[0];

    /// The token chosen from logits, one per entry of the vocabulary, which are left as they are.
    ///
    /// @param draw which of the sampling's random numbers is used, counted from 0
    /// @return its index, or [#NONE] if a logit is not a number
    public int choose(float[] logits, int count, Sampling sampling, int draw) {
        int best = likeliest(logits, count);
        if (best == NONE || sampling.temperature() == 0) {
            return best;
        }
        weigh(logits, count, logits[best], sampling.temperature());
        double random = sampling.random(draw);
        return sampling.topK() == 0 && sampling.topP() == 1 ? drawFromAll(random) : drawFromBest(sampling, random);
    }

    /// The first `count` logits' largest; the first of equals; or [#NONE] if one is not a number.
    public static int likeliest(float[] logits, int count) {
        int best = 0;
        boolean numbers = true;
        for (int i = 0; i < count; i++) {
            numbers &= !Float.isNaN(logits[i]);
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return numbers ? best : NONE;
    }

    /// Unnormalised probabilities; the likeliest token has 1.
    private void weigh(float[] logits, int count, float largest, double temperature) {
        if (weights.length != count) {
            weights = new double[count];
        }
        for (int i = 0; i < count; i++) {
            weights[i] = Math.exp((logits[i] - largest) / temperature);
        }
    }

    private int drawFromAll(double random) {
        double left = random * sum(weights);
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

    private int drawFromBest(Sampling sampling, double random) {
        ranking.of(weights);
        int limit = sampling.topK() == 0 ? weights.length : Math.min(sampling.topK(), weights.length);
        double total = sampling.topK() == 0 ? sum(weights) : sumOfBest(limit);
        int kept = 0;
        double mass = 0;
        while (kept < limit && (kept == 0 || mass < sampling.topP() * total)) {
            mass += weights[ranking.at(kept++)];
        }
        double left = random * mass;
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
