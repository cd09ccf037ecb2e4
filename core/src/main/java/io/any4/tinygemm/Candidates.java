package io.any4.tinygemm;

import java.util.Arrays;

/// Some tokens with their logits and weights, of which ranges of the descending order are wanted, but never
/// the whole order.
///
/// The order is that of logits from the largest down, and among equal ones that in which they were added.
/// [#find] is a selection by bins: it adds up the weights in 256 equal ranges of logits, walks to the range
/// where the wanted one lies, and looks at that range alone in the same way. That takes linear time, also
/// where all logits are equal.
///
/// Keeps its working memory; for one thread.
final class Candidates {
    private static final int BINS = 256;

    private int[] ids = new int[0];
    private float[] logits = new float[0];
    private double[] weights = new double[0];
    private int count;

    private final double[] masses = new double[BINS];
    /// The places that a search still looks at, in their order.
    private int[] open = new int[0];

    void clear() {
        count = 0;
    }

    /// Adds a token.
    ///
    /// @param logit finite
    /// @param weight above 0
    void add(int id, float logit, double weight) {
        if (count == ids.length) {
            grow(Math.max(1024, 2 * count));
        }
        ids[count] = id;
        logits[count] = logit;
        weights[count++] = weight;
    }

    private void grow(int capacity) {
        ids = Arrays.copyOf(ids, capacity);
        logits = Arrays.copyOf(logits, capacity);
        weights = Arrays.copyOf(weights, capacity);
        open = new int[capacity];
    }

    int count() {
        return count;
    }

    int id(int place) {
        return ids[place];
    }

    float logit(int place) {
        return logits[place];
    }

    /// The sum of all weights.
    double mass() {
        double sum = 0;
        for (int i = 0; i < count; i++) {
            sum += weights[i];
        }
        return sum;
    }

    /// Makes `e^((logit - largest) / temperature)` the weights, and drops those where that is 0.
    void weigh(float largest, double temperature) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            double weight = Math.exp(((double) logits[i] - largest) / temperature);
            if (weight > 0) {
                move(i, kept);
                weights[kept++] = weight;
            }
        }
        count = kept;
    }

    /// Takes the weights from an array, by token, and drops those where that is 0.
    void weigh(float[] byToken) {
        int kept = 0;
        for (int i = 0; i < count; i++) {
            double weight = byToken[ids[i]];
            if (weight > 0) {
                move(i, kept);
                weights[kept++] = weight;
            }
        }
        count = kept;
    }

    /// Drops what follows this place in descending order.
    void keepTo(int place) {
        float least = logits[place];
        int kept = 0;
        for (int i = 0; i < count; i++) {
            if (logits[i] > least || logits[i] == least && i <= place) {
                move(i, kept++);
            }
        }
        count = kept;
    }

    private void move(int from, int to) {
        ids[to] = ids[from];
        logits[to] = logits[from];
        weights[to] = weights[from];
    }

    /// The place of the first in descending order with which the sum of weights exceeds `target`; of the last
    /// if none does. There must be one at least.
    int find(double target) {
        int size = count;
        for (int i = 0; i < size; i++) {
            open[i] = i;
        }
        double above = 0;
        while (true) {
            float high = logits[open[0]];
            float low = high;
            for (int i = 1; i < size; i++) {
                high = Math.max(high, logits[open[i]]);
                low = Math.min(low, logits[open[i]]);
            }
            if (high == low) {
                return firstOfEquals(size, above, target);
            }
            double scale = (BINS - 1) / ((double) high - low);
            addUp(size, high, scale);
            int bin = 0;
            for (int last = bin(low, high, scale); bin < last && above + masses[bin] <= target; bin++) {
                above += masses[bin];
            }
            size = narrow(size, high, scale, bin);
        }
    }

    /// Which of the open ones, whose logits are equal.
    private int firstOfEquals(int size, double before, double target) {
        int i = 0;
        for (double above = before; i < size - 1; i++) {
            above += weights[open[i]];
            if (above > target) {
                break;
            }
        }
        return open[i];
    }

    private void addUp(int size, float high, double scale) {
        Arrays.fill(masses, 0);
        for (int i = 0; i < size; i++) {
            masses[bin(logits[open[i]], high, scale)] += weights[open[i]];
        }
    }

    private int narrow(int size, float high, double scale, int bin) {
        int kept = 0;
        for (int i = 0; i < size; i++) {
            if (bin(logits[open[i]], high, scale) == bin) {
                open[kept++] = open[i];
            }
        }
        return kept;
    }

    private static int bin(float logit, float high, double scale) {
        return (int) (((double) high - logit) * scale);
    }
}
