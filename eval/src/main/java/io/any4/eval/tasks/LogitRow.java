package io.any4.eval.tasks;

/// Arithmetic on one row of logits.
final class LogitRow {
    private LogitRow() {}

    /// Logarithm of a token's probability: the log-softmax, summed in double around the largest logit.
    static double logProbability(float[] logits, int offset, int vocabulary, int token) {
        double largest = logits[offset + argmax(logits, offset, vocabulary)];
        double sum = 0;
        for (int i = offset; i < offset + vocabulary; i++) {
            sum += Math.exp(logits[i] - largest);
        }
        return logits[offset + token] - largest - Math.log(sum);
    }

    /// The likeliest token; the first of equals.
    static int argmax(float[] logits, int offset, int vocabulary) {
        int best = 0;
        for (int i = 1; i < vocabulary; i++) {
            if (logits[offset + i] > logits[offset + best]) {
                best = i;
            }
        }
        return best;
    }
}
