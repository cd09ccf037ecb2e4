package io.any4.calibrate;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Waits for the disk on a thread of its own while computing goes on; what piles up meanwhile is committed together.
///
/// @param <T> what is committed
final class Commits<T> implements AutoCloseable {
    private final ExecutorService thread = Executors.newSingleThreadExecutor(
            Thread.ofPlatform().name("any4-commit").daemon().factory());
    private final ConcurrentLinkedQueue<T> waiting = new ConcurrentLinkedQueue<>();
    private final AtomicReference<@Nullable RuntimeException> failure = new AtomicReference<>();
    private final Consumer<List<T>> commit;

    Commits(Consumer<List<T>> commit) {
        this.commit = commit;
    }

    /// Commits an item soon; throws what an earlier commit threw.
    void add(T item) {
        rethrow();
        waiting.add(item);
        thread.execute(this::commitWaiting);
    }

    private void commitWaiting() {
        List<T> batch = new ArrayList<>();
        for (T item = waiting.poll(); item != null; item = waiting.poll()) {
            batch.add(item);
        }
        if (batch.isEmpty() || failure.get() != null) {
            return;
        }
        try {
            commit.accept(batch);
        } catch (RuntimeException e) {
            failure.set(e);
        }
    }

    /// Waits until everything is committed; throws what a commit threw.
    void finish() {
        thread.close();
        rethrow();
    }

    private void rethrow() {
        RuntimeException thrown = failure.get();
        if (thrown != null) {
            throw thrown;
        }
    }

    /// Waits until everything is committed, on the way out of a failure too.
    @Override
    public void close() {
        thread.close();
    }
}
