package io.any4.cli;

import java.io.PrintWriter;

/// Where notes and progress go: standard error, in the way that suits what is at its other end.
///
/// @param err standard error
/// @param columns width of the terminal, or 0 if it is none
/// @param notes whether to print notes
/// @param progress whether to show progress
record Terminal(PrintWriter err, int columns, boolean notes, boolean progress) {
    /// What the launcher found out about standard error: its width, or 0 if it is no terminal.
    private static final String COLUMNS = "any4.terminal";

    static Terminal of(Any4Command root) {
        boolean show = !root.quiet && !root.noProgress;
        return new Terminal(root.spec.commandLine().getErr(), Integer.getInteger(COLUMNS, 0), !root.quiet, show);
    }

    /// Prints a remark that is not part of the result.
    void note(String text) {
        if (notes) {
            err.println(text);
        }
    }

    Progress progress(String task, long total, Progress.Unit unit) {
        if (!progress) {
            return Progress.silent();
        }
        return columns > 0 ? Progress.bar(err, columns, task, total, unit) : Progress.lines(err, task, total, unit);
    }
}
