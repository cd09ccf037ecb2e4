package io.any4.tinygemm;

import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A fixed team of persistent threads that share loops; the calling thread is one of its members.
///
/// A model runs a hundred short loops per token, so a loop must start and end in microseconds: members wait for the
/// next loop spinning for a short while, and park only when none comes. Each member gets one contiguous range that
/// depends on nothing but the arguments, and a loop body must write only what belongs to its range: results then do not
/// depend on the number of threads. The caller runs the range of a member that has not begun when its own is done.
///
/// Loops of different callers run one after the other. A loop started inside a loop runs on the calling thread.
public final class Team implements AutoCloseable {
    /// The body of a parallel loop.
    @FunctionalInterface
    public interface Range {
        /// Does the work for indices `from` (inclusive) to `to` (exclusive).
        void run(int from, int to);
    }

    /// Longer than the serial part between two loops of a decoder takes, well under a millisecond.
    private static final int SPINS = 10_000;

    /// With more threads than processors, spinning keeps another thread from its work.
    private static final int SPINS_WHEN_CROWDED = 20;

    private final ReentrantLock turn = new ReentrantLock();
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final TeamMember[] members;

    /// Starts `threads - 1` threads.
    public Team(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team needs at least one thread, not " + threads);
        }
        int spins = threads <= Runtime.getRuntime().availableProcessors() ? SPINS : SPINS_WHEN_CROWDED;
        members = new TeamMember[threads - 1];
        for (int i = 0; i < members.length; i++) {
            members[i] = new TeamMember("any4-team-" + (i + 1), failure, spins);
            members[i].start();
        }
    }

    /// Members, the caller included.
    public int threads() {
        return members.length + 1;
    }

    /// Runs `body` over `[0, count)` in as many contiguous ranges as there are members, all but the last a multiple of
    /// `grain` long; returns when all are done. What the body throws on any thread is thrown here.
    public void run(int count, int grain, Range body) {
        if (count < 0 || grain < 1) {
            throw new IllegalArgumentException("no such loop: %d indices in grains of %d".formatted(count, grain));
        }
        int grains = Math.ceilDiv(count, grain);
        if (members.length == 0 || grains <= 1 || turn.isHeldByCurrentThread() || isMember()) {
            if (count > 0) {
                body.run(0, count);
            }
            return;
        }
        turn.lock();
        try {
            share(count, grain, grains, body);
        } finally {
            turn.unlock();
        }
    }

    private void share(int count, int grain, int grains, Range body) {
        for (int i = 0; i < members.length; i++) {
            members[i].give(body, start(i + 1, count, grain, grains), start(i + 2, count, grain, grains));
        }
        Throwable own = null;
        try {
            body.run(0, start(1, count, grain, grains));
        } catch (Throwable thrown) {
            own = thrown;
        }
        for (TeamMember member : members) {
            member.finish();
        }
        Throwable others = failure.getAndSet(null);
        rethrow(own != null ? own : others);
    }

    /// The first index of part `part`; the first index of the part after the last is `count`.
    private int start(int part, int count, int grain, int grains) {
        return (int) Math.min(count, (long) grains * part / threads() * grain);
    }

    private static void rethrow(@Nullable Throwable thrown) {
        switch (thrown) {
            case null -> {}
            case RuntimeException e -> throw e;
            case Error e -> throw e;
            default -> throw new IllegalStateException(thrown);
        }
    }

    /// The threads beside the caller's.
    List<Thread> members() {
        return List.of(members);
    }

    private boolean isMember() {
        return Thread.currentThread() instanceof TeamMember;
    }

    /// Ends the threads; a closed team cannot run shared loops.
    @Override
    public void close() {
        turn.lock();
        try {
            for (TeamMember member : members) {
                member.end();
            }
        } finally {
            turn.unlock();
        }
    }
}
