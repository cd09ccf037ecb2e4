package io.any4.calibrate;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/// Waits for the disk on a thread of its own, one commit at a time, so that computing goes on meanwhile.
final class Commits implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("any4-commit").daemon().factory());
    private @Nullable Future<?> pending;

    /// Starts a commit as soon as the one before is through; throws what that one threw.
    void add(Runnable commit) {
        await();
        pending = thread.submit(commit);
    }

    /// Waits until all commits are through; throws what the last one threw.
    void await() {
        Future<?> commit = pending;
        pending = null;
        if (commit == null) {
            return;
        }
        try {
            commit.get();
        } catch (ExecutionException e) {
            throw e.getCause() instanceof RuntimeException cause ? cause : new IllegalStateException(e.getCause());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while writing", e);
        }
    }

    /// Lets the last commit end.
    @Override
    public void close() {
        thread.close();
    }
}
