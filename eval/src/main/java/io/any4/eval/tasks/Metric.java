package io.any4.eval.tasks;

/// What is reported of a task, under the name lm-evaluation-harness gives it.
public enum Metric {
    /// Share of documents whose likeliest answer is right.
    ACCURACY("acc", true),
    /// The same with likelihoods per character, so that long answers are not at a disadvantage.
    NORMALIZED_ACCURACY("acc_norm", true),
    /// Perplexity per target, which may be several tokens: exp of the mean negative log-likelihood.
    PERPLEXITY("perplexity", false),
    /// Share of written answers with the right number after `####`.
    STRICT_MATCH("exact_match,strict-match", true),
    /// Share of written answers whose last number is right.
    FLEXIBLE_MATCH("exact_match,flexible-extract", true);

    private final String label;
    private final boolean higherIsBetter;

    Metric(String label, boolean higherIsBetter) {
        this.label = label;
        this.higherIsBetter = higherIsBetter;
    }

    /// Name in tables and JSON.
    public String label() {
        return label;
    }

    /// Whether a larger value is the better one.
    public boolean higherIsBetter() {
        return higherIsBetter;
    }

    /// The value for a whole task.
    ///
    /// @param scores one per document
    double aggregate(double[] scores) {
        return this == PERPLEXITY ? Statistics.perplexity(scores) : Statistics.mean(scores);
    }

    /// Standard error of [#aggregate].
    ///
    /// @param scores one per document, at least two
    double standardError(double[] scores) {
        return this == PERPLEXITY ? Statistics.bootstrapPerplexity(scores) : Statistics.standardError(scores);
    }
}
