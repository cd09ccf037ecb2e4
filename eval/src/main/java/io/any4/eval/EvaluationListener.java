package io.any4.eval;

/// Told how an evaluation proceeds; all calls come from the evaluating thread.
@FunctionalInterface
public interface EvaluationListener {
    /// Ignores everything.
    EvaluationListener SILENT = (done, total, perplexity) -> {};

    /// One more window was run through one more model.
    ///
    /// @param done model runs finished: windows times models
    /// @param total model runs there will be
    /// @param perplexity running perplexity of the model that was run
    void ran(int done, int total, double perplexity);
}
