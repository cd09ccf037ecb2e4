package io.any4.cli;

import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.DelegatingProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/// How a long job shows that it lives: a bar on a terminal, a line now and then elsewhere, or nothing.
sealed interface Progress extends AutoCloseable {
    /// Says what is being worked on now; shown beside the bar.
    void note(String note);

    /// Moves to `done` of the job's units.
    void to(long done);

    @Override
    void close();

    /// What is counted.
    ///
    /// @param name in the plural
    /// @param size how many make one unit on the screen
    record Unit(String name, long size) {
        static Unit of(String name) {
            return new Unit(name, 1);
        }

        /// Thousands or millions of weights, whichever suits a job of that many.
        static Unit weights(long total) {
            return total < 1_000_000_000 ? new Unit("k weights", 1000) : new Unit("M weights", 1_000_000);
        }
    }

    /// Shows nothing.
    static Progress silent() {
        return new Silent();
    }

    /// A bar that redraws itself, for a terminal.
    static Progress bar(PrintWriter err, int columns, String task, long total, Unit unit) {
        return new Bar(err, columns, task, total, unit);
    }

    /// Plain lines, at most one every few seconds, for logs and pipes.
    static Progress lines(PrintWriter err, String task, long total, Unit unit) {
        return new Lines(err, task, total, unit);
    }

    final class Silent implements Progress {
        @Override
        public void note(String note) {}

        @Override
        public void to(long done) {}

        @Override
        public void close() {}
    }

    final class Bar implements Progress {
        private final ProgressBar bar;

        Bar(PrintWriter err, int columns, String task, long total, Unit unit) {
            bar = new ProgressBarBuilder()
                    .setTaskName(task)
                    .setInitialMax(total)
                    .setUnit(" " + unit.name(), unit.size())
                    .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BLOCK)
                    .setUpdateIntervalMillis(100)
                    .setConsumer(new DelegatingProgressBarConsumer(line -> redraw(err, line), columns))
                    .clearDisplayOnFinish()
                    .build();
        }

        private static void redraw(PrintWriter err, String line) {
            err.print('\r' + line);
            err.flush();
        }

        @Override
        public void note(String note) {
            bar.setExtraMessage(" " + note);
        }

        @Override
        public void to(long done) {
            bar.stepTo(done);
        }

        @Override
        public void close() {
            bar.close();
        }
    }

    final class Lines implements Progress {
        private static final Duration INTERVAL = Duration.ofSeconds(5);

        private final PrintWriter err;
        private final String task;
        private final long total;
        private final Unit unit;
        private final long start = System.nanoTime();
        private long lastLine = start;
        private @Nullable String note;

        Lines(PrintWriter err, String task, long total, Unit unit) {
            this.err = err;
            this.task = task;
            this.total = total;
            this.unit = unit;
        }

        @Override
        public void note(String note) {
            this.note = note;
        }

        @Override
        public void to(long done) {
            long now = System.nanoTime();
            if (now - lastLine < INTERVAL.toNanos()) {
                return;
            }
            lastLine = now;
            double seconds = (now - start) / 1e9;
            err.printf(
                    "%s: %d of %d %s, %.0f s%s%n",
                    task,
                    done / unit.size(),
                    total / unit.size(),
                    unit.name(),
                    seconds,
                    note == null ? "" : ", " + note);
            err.flush();
        }

        @Override
        public void close() {}
    }
}
