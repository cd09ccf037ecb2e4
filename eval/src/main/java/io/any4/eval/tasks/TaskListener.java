package io.any4.eval.tasks;

/// Told how an evaluation proceeds; all calls come from the evaluating thread.
@FunctionalInterface
public interface TaskListener {
    /// Ignores everything.
    TaskListener SILENT = (task, done, total) -> {};

    /// More requests were answered.
    ///
    /// @param task whose requests
    /// @param done requests answered so far, over all tasks
    /// @param total requests there are, over all tasks
    void ran(String task, int done, int total);
}
