package io.any4.eval;

/// Arithmetic on one row of logits, in double precision.
final class Softmax {
    private Softmax() {}

    /// `log(sum(exp(logits)))`, computed around the largest logit so that it cannot overflow.
    static double logSumExp(float[] logits, int offset, int vocabulary) {
        double largest = logits[argmax(logits, offset, vocabulary)];
        double sum = 0;
        for (int i = offset; i < offset + vocabulary; i++) {
            sum += Math.exp(logits[i] - largest);
        }
        return largest + Math.log(sum);
    }

    /// Where the largest logit is, counted from `offset`'s array start; the first of equals.
    static int argmax(float[] logits, int offset, int vocabulary) {
        int best = offset;
        for (int i = offset + 1; i < offset + vocabulary; i++) {
            if (logits[i] > logits[best]) {
                best = i;
            }
        }
        return best;
    }

    /// Kullback-Leibler divergence KL(p || q) in nats of two rows of logits whose log-sum-exps are known.
    static double divergence(float[] p, double logSumP, float[] q, double logSumQ, int offset, int vocabulary) {
        double sum = 0;
        for (int i = offset; i < offset + vocabulary; i++) {
            double logP = p[i] - logSumP;
            sum += Math.exp(logP) * (logP - (q[i] - logSumQ));
        }
        return Math.max(0, sum); // rounding can take the divergence of equal rows just below zero
    }
}
