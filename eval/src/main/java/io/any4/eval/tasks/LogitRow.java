package io.any4.eval.tasks;

/// One row of logits, summed up in double precision around the largest.
///
/// @param likeliest where the largest logit is; the first of equals
/// @param largest that logit
/// @param logSum logarithm of the sum of `exp(logit - largest)`
record LogitRow(int likeliest, double largest, double logSum) {
    /// @param offset where the row begins
    static LogitRow of(float[] logits, int offset, int vocabulary) {
        int best = 0;
        for (int i = 1; i < vocabulary; i++) {
            if (logits[offset + i] > logits[offset + best]) {
                best = i;
            }
        }
        double largest = logits[offset + best];
        double sum = 0;
        for (int i = offset; i < offset + vocabulary; i++) {
            sum += Math.exp(logits[i] - largest);
        }
        return new LogitRow(best, largest, Math.log(sum));
    }

    /// Logarithm of the probability of a token with this logit: its log-softmax.
    double logProbability(float logit) {
        return logit - largest - logSum;
    }
}
