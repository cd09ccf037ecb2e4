package io.any4.quant;

import io.any4.tinygemm.Team;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.function.Supplier;

/// Runs over the rows of a matrix, a few at a time, shared by a team: how [Gptq] and [GroupGptq] go about their work.
///
/// Errors are added up in row order, so they too do not depend on the number of threads.
final class FeedbackLoop {
    private static final int PROGRESS_BATCHES = 8;

    private FeedbackLoop() {}

    /// What rounds a few rows together; serves one thread.
    interface Rows {
        /// Rows rounded together.
        int COUNT = ColumnSums.ROWS;

        /// Rounds rows `from` to `to`, at most [#COUNT], and writes what that cost to their places in `errors` and
        /// `outputErrors`.
        void round(int from, int to, ErrorStatistics[] errors, double[] outputErrors);
    }

    /// Rounds `rows` rows.
    ///
    /// @param newRows makes what one thread rounds with
    /// @return the sum of the output errors
    static double run(int rows, Team team, Supplier<? extends Rows> newRows, RowListener listener) {
        ErrorStatistics[] errors = new ErrorStatistics[rows];
        double[] outputErrors = new double[rows];
        ConcurrentLinkedQueue<Rows> idle = new ConcurrentLinkedQueue<>();
        ErrorStatistics sum = ErrorStatistics.EMPTY;
        double outputError = 0;
        int step = Rows.COUNT * team.threads() * PROGRESS_BATCHES;
        for (int first = 0; first < rows; first += step) {
            int start = first;
            int count = Math.min(step, rows - first);
            team.run(count, Rows.COUNT, (from, to) -> {
                Rows reused = idle.poll();
                Rows few = reused == null ? newRows.get() : reused;
                for (int row = start + from; row < start + to; row += Rows.COUNT) {
                    few.round(row, Math.min(start + to, row + Rows.COUNT), errors, outputErrors);
                }
                idle.add(few);
            });
            for (int row = first; row < first + count; row++) {
                sum = sum.plus(errors[row]);
                outputError += outputErrors[row];
            }
            listener.progress(first + count, rows, sum);
        }
        return outputError;
    }
}
