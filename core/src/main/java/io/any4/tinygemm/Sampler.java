package io.any4.tinygemm;

/// Chooses tokens as a [Sampling] says: what the choices of other devices are compared with.
///
/// Nothing is sorted. With top-k, logits are searched for the k largest, and only these get a probability, in
/// double. Otherwise the exponentials of all logits are computed, rounded to floats and added up in double;
/// top-p then looks only at those which are large enough to be among the likeliest. Keeps its working memory;
/// for one thread.
public final class Sampler {
    /// What is chosen where a logit is not a number.
    public static final int NONE = -1;

    /// Weights that are added up before they are added to others.
    private static final int BLOCK = 128;

    private final Kernels kernels;
    private final BlockMaxima maxima;
    private final Candidates candidates = new Candidates();
    private float[] weights = new float[0];
    /// By block.
    private double[] sums = new double[0];

    /// Without vectors.
    public Sampler() {
        this(new ScalarKernels());
    }

    Sampler(Kernels kernels) {
        this.kernels = kernels;
        maxima = new BlockMaxima(kernels);
    }

    /// The token chosen from logits, one per entry of the vocabulary, which are left as they are. Infinite
    /// logits are chosen always or never.
    ///
    /// @param draw which of the sampling's random numbers is used, counted from 0
    /// @return its index, or [#NONE] if a logit is not a number
    public int choose(float[] logits, int count, Sampling sampling, int draw) {
        return choose(logits, 0, count, sampling, draw);
    }

    /// The same for the logits that start at index `from`.
    int choose(float[] logits, int from, int count, Sampling sampling, int draw) {
        float largest = maxima.of(logits, from, count);
        if (Float.isNaN(largest)) {
            return NONE;
        }
        if (sampling.temperature() == 0 || Float.isInfinite(largest)) {
            return maxima.first(largest);
        }
        double random = sampling.random(draw);
        if (sampling.topK() > 0 && sampling.topK() < count) {
            keepBest(sampling.topK(), largest, sampling.temperature());
            return drawFromCandidates(sampling.topP(), candidates.mass(), random);
        }
        double total = weigh(logits, from, count, largest, sampling.temperature());
        if (sampling.topK() == 0 && sampling.topP() == 1) {
            return drawFromAll(count, total, random);
        }
        candidates.clear();
        maxima.collect(leastLogit(sampling, largest, total / count), candidates);
        candidates.weigh(weights);
        return drawFromCandidates(sampling.topP(), total, random);
    }

    private void keepBest(int topK, float largest, double temperature) {
        candidates.clear();
        maxima.collect(maxima.reachedBy(topK), candidates);
        candidates.keepTo(candidates.find(topK - 0.5));
        candidates.weigh(largest, temperature);
    }

    /// Writes unnormalised probabilities, of which the likeliest token has 1, and returns their sum.
    private double weigh(float[] logits, int from, int count, float largest, double temperature) {
        int blocks = Math.ceilDiv(count, BLOCK);
        if (weights.length < count) {
            weights = new float[count];
            sums = new double[blocks];
        }
        float factor = (float) Math.clamp(1 / temperature, Float.MIN_NORMAL, Float.MAX_VALUE);
        kernels.exponentials(logits, from, largest, factor, weights, count);
        double total = 0;
        for (int block = 0; block < blocks; block++) {
            sums[block] = sum(block * BLOCK, Math.min(count, (block + 1) * BLOCK));
            total += sums[block];
        }
        return total;
    }

    private double sum(int from, int to) {
        double a = 0;
        double b = 0;
        double c = 0;
        double d = 0;
        int i = from;
        for (; i <= to - 4; i += 4) {
            a += weights[i];
            b += weights[i + 1];
            c += weights[i + 2];
            d += weights[i + 3];
        }
        for (; i < to; i++) {
            a += weights[i];
        }
        return a + b + (c + d);
    }

    private int drawFromAll(int count, double total, double random) {
        int last = Math.ceilDiv(count, BLOCK) - 1;
        while (sums[last] == 0) {
            last--;
        }
        double left = random * total;
        int block = 0;
        while (block < last && left >= sums[block]) {
            left -= sums[block++];
        }
        int chosen = 0;
        for (int i = block * BLOCK; i < Math.min(count, (block + 1) * BLOCK) && left >= 0; i++) {
            if (weights[i] > 0) {
                chosen = i; // also if rounding used up the sum
                left -= weights[i];
            }
        }
        return chosen;
    }

    /// A logit below which top-p ends in any case: if all tokens were less likely than a share `1 - p` of the
    /// mean, they would have less than `1 - p` together. Half of that leaves room for rounding.
    private static float leastLogit(Sampling sampling, float largest, double mean) {
        double leastWeight = 0.5 * (1 - sampling.topP()) * mean;
        float least = (float) (largest + Math.log(leastWeight) * sampling.temperature());
        return Math.nextDown(Math.min(least, largest));
    }

    private int drawFromCandidates(double topP, double total, double random) {
        if (topP < 1) {
            // reaches is exceeds the number below
            candidates.keepTo(candidates.find(Math.nextDown(topP * total)));
        }
        return candidates.id(candidates.find(random * candidates.mass()));
    }
}
