package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.tinygemm.Buffer;

/// Tells how likely a model finds a text.
public final class Scorer {
    /// Positions whose logits are in memory at once.
    private static final int SLICE = 32;

    private final Decoder decoder;

    public Scorer(Decoder decoder) {
        this.decoder = decoder;
    }

    /// The natural logarithm of the probability of each token after the first, given those before it:
    /// `[ids.length - 1]`.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if there are no ids or more than the context holds
    public double[] logProbabilities(int[] ids) {
        Buffer hidden = decoder.forward(ids, decoder.newCache(ids.length));
        int vocab = decoder.config().vocabSize();
        double[] result = new double[ids.length - 1];
        float[] logits = new float[SLICE * vocab];
        for (int from = 0; from < result.length; from += SLICE) {
            int count = Math.min(SLICE, result.length - from);
            decoder.logits(hidden, from, count, logits);
            for (int i = 0; i < count; i++) {
                result[from + i] = logProbability(logits, i * vocab, vocab, ids[from + i + 1]);
            }
        }
        return result;
    }

    private static double logProbability(float[] logits, int offset, int vocab, int id) {
        double largest = Double.NEGATIVE_INFINITY;
        for (int v = 0; v < vocab; v++) {
            largest = Math.max(largest, logits[offset + v]);
        }
        double sum = 0;
        for (int v = 0; v < vocab; v++) {
            sum += Math.exp(logits[offset + v] - largest);
        }
        return logits[offset + id] - largest - Math.log(sum);
    }
}
