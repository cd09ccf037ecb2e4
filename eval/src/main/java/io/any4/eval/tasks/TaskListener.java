package io.any4.eval.tasks;

/// Told how an evaluation proceeds; all calls come from the evaluating thread.
@FunctionalInterface
public interface TaskListener {
    /// Ignores everything.
    TaskListener SILENT = (task, done) -> {};

    /// More requests were answered.
    ///
    /// @param task whose requests
    /// @param done requests answered so far, of [TaskSuite#requests]
    void ran(String task, int done);
}
