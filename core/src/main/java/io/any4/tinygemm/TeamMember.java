package io.any4.tinygemm;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// One thread of a [Team]: waits for a range of a loop, runs it, reports back.
///
/// A range that is handed over is taken once: by the member, or by the caller if it is done before the member has
/// begun, so that no loop waits for a thread that the system has not scheduled yet. Both sides of the hand-over spin
/// first and park when that takes too long: a loop costs no system call while the team is busy and no processor time
/// while it is not.
final class TeamMember extends Thread {
    private static final int IDLE = 0;
    private static final int OFFERED = 1;
    private static final int TAKEN = 2;

    private final AtomicReference<@Nullable Throwable> failure;
    private final int spins;
    private final AtomicInteger state = new AtomicInteger(IDLE);
    private Team.@Nullable Range body;
    private int from;
    private int to;
    private volatile boolean parked;
    private volatile boolean ended;
    private volatile @Nullable Thread waiter;

    /// @param spins rounds to wait before giving the processor up
    TeamMember(String name, AtomicReference<@Nullable Throwable> failure, int spins) {
        super(name);
        this.failure = failure;
        this.spins = spins;
        setDaemon(true);
    }

    /// Hands over a range; the previous one must be done.
    void give(Team.Range body, int from, int to) {
        if (ended) {
            throw new IllegalStateException("this team is closed");
        }
        if (from >= to) {
            return;
        }
        this.body = body;
        this.from = from;
        this.to = to;
        state.set(OFFERED); // publishes the plain fields above
        if (parked) {
            LockSupport.unpark(this);
        }
    }

    /// Returns when the range handed over last is done, which the calling thread sees to itself if the member has not
    /// begun.
    void finish() {
        if (state.get() == IDLE) {
            return;
        }
        if (state.compareAndSet(OFFERED, TAKEN)) {
            runRange();
            return;
        }
        for (int i = 0; state.get() != IDLE; i++) {
            if (i < spins) {
                Thread.onSpinWait();
            } else {
                waiter = Thread.currentThread();
                if (state.get() != IDLE) {
                    LockSupport.park(this);
                }
            }
        }
        waiter = null;
    }

    void end() {
        ended = true;
        LockSupport.unpark(this);
    }

    @Override
    public void run() {
        while (awaitOffer()) {
            if (state.compareAndSet(OFFERED, TAKEN)) {
                runRange();
                Thread waiting = waiter;
                if (waiting != null) {
                    LockSupport.unpark(waiting);
                }
            }
        }
    }

    private boolean awaitOffer() {
        for (int i = 0; state.get() != OFFERED; i++) {
            if (ended) {
                return false;
            }
            if (i < spins) {
                Thread.onSpinWait();
            } else {
                parked = true;
                if (state.get() != OFFERED && !ended) {
                    LockSupport.park(this);
                }
                parked = false;
            }
        }
        return true;
    }

    private void runRange() {
        Team.Range work = body;
        try {
            if (work != null) {
                work.run(from, to);
            }
        } catch (Throwable thrown) {
            failure.compareAndSet(null, thrown);
        } finally {
            state.set(IDLE);
        }
    }
}
