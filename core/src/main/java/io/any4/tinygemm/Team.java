package io.any4.tinygemm;

import java.util.List;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// A fixed team of persistent threads that share loops; the calling thread is one of its members.
///
/// A model runs a hundred short loops per token, so a loop must start and end in microseconds: members wait
/// for the next loop spinning for a short while, and park only when none comes. Each member gets one
/// contiguous range, and the others take from it what it has not begun when theirs are done ([SharedLoop]):
/// no loop waits for a thread that the system has not scheduled, and slower processors get less to do. A loop
/// body must write only what belongs to its range: results then do not depend on the number of threads, nor
/// on which of them ran what.
///
/// Loops of different callers run one after the other. A loop started inside a loop runs on the calling
/// thread.
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

    /// What [#loops] says once the team is closed.
    static final long CLOSED = -1;

    /// The counter of loops so far; those after it count, by member, the blocks that it has run and reported.
    private static final int LOOPS = 0;

    private final ReentrantLock turn = new ReentrantLock();
    private final SharedLoop loop;
    private final PaddedCounters counters;
    private final TeamMember[] members;
    private final int spins;
    private volatile @Nullable Thread waiter;

    /// Starts `threads - 1` threads.
    public Team(int threads) {
        if (threads < 1) {
            throw new IllegalArgumentException("a team needs at least one thread, not " + threads);
        }
        spins = threads <= Runtime.getRuntime().availableProcessors() ? SPINS : SPINS_WHEN_CROWDED;
        loop = new SharedLoop(threads);
        counters = new PaddedCounters(1 + threads);
        members = new TeamMember[threads - 1];
        for (int i = 0; i < members.length; i++) {
            members[i] = new TeamMember(this, i + 1, spins);
        }
        for (TeamMember member : members) {
            member.start();
        }
    }

    /// Members, the caller included.
    public int threads() {
        return members.length + 1;
    }

    /// Runs `body` over `[0, count)` in contiguous ranges, each of which starts at a multiple of `grain` and
    /// is, but for the last, a multiple of it long; returns when all are done. What the body throws first on
    /// any thread is thrown here; other ranges are run nevertheless.
    ///
    /// @param grain the fewest indices that are worth another thread
    public void run(int count, int grain, Range body) {
        if (count < 0 || grain < 1) {
            throw new IllegalArgumentException("no such loop: %d indices in grains of %d".formatted(count, grain));
        }
        if (members.length == 0 || count <= grain || turn.isHeldByCurrentThread() || isMember()) {
            if (count > 0) {
                body.run(0, count);
            }
            return;
        }
        turn.lock();
        try {
            share(count, grain, body);
        } finally {
            turn.unlock();
        }
    }

    private void share(int count, int grain, Range body) {
        long number = loops();
        if (number == CLOSED) {
            throw new IllegalStateException("this team is closed");
        }
        loop.begin(count, grain, body);
        counters.set(LOOPS, number + 1);
        wakeAll();
        take(0);
        awaitBlocks();
        rethrow(loop.takeFailure());
    }

    private void wakeAll() {
        for (TeamMember member : members) {
            member.wake();
        }
    }

    /// Loops so far, or [#CLOSED].
    long loops() {
        return counters.get(LOOPS);
    }

    /// Lets a member, on its own thread, run what there is to run, and reports it.
    void take(int member) {
        int done = loop.work(member);
        if (done > 0) {
            // one writer each; the caller, who reads it, sees with it what the blocks have written
            counters.set(1 + member, counters.getAcquire(1 + member) + done);
            Thread waiting = waiter;
            if (waiting != null) {
                LockSupport.unpark(waiting);
            }
        }
    }

    /// Waits for the blocks that others have claimed and not yet reported.
    private void awaitBlocks() {
        for (int i = 0; reported() != loop.blocks(); i++) {
            if (i < spins) {
                Thread.onSpinWait();
            } else {
                waiter = Thread.currentThread();
                // members report and then look at waiter: one of both sees what the other wrote
                if (reported() != loop.blocks()) {
                    LockSupport.park(this);
                }
            }
        }
        if (waiter != null) {
            waiter = null;
        }
    }

    private long reported() {
        long sum = 0;
        for (int member = 0; member < threads(); member++) {
            sum += counters.get(1 + member);
        }
        return sum;
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
            counters.set(LOOPS, CLOSED);
            wakeAll();
        } finally {
            turn.unlock();
        }
    }
}
