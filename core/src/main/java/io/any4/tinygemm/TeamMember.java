package io.any4.tinygemm;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/// One thread of a [Team]: waits for a range of a loop, runs it, reports back.
///
/// `given` and `done` count loops; the member works while they differ. Both sides of the hand-over spin first and park
/// when that takes too long, so a loop costs no system call while the team is busy and no processor time while it is
/// not.
final class TeamMember extends Thread {
    /// About as long as the serial part between two loops of a decoder takes.
    private static final int SPINS = 2000;

    private final AtomicReference<@Nullable Throwable> failure;
    private Team.@Nullable Range body;
    private int from;
    private int to;
    private volatile int given;
    private volatile int done;
    private volatile boolean ended;
    private volatile @Nullable Thread waiter;

    TeamMember(String name, AtomicReference<@Nullable Throwable> failure) {
        super(name);
        this.failure = failure;
        setDaemon(true);
    }

    /// Hands over a range; the previous one must be done.
    void give(Team.Range body, int from, int to) {
        if (ended) {
            throw new IllegalStateException("this team is closed");
        }
        this.body = body;
        this.from = from;
        this.to = to;
        given = done + 1; // publishes the plain fields above
        LockSupport.unpark(this);
    }

    /// Returns when the range handed over last is done.
    void await() {
        for (int i = 0; done != given; i++) {
            if (i < SPINS) {
                Thread.onSpinWait();
            } else {
                waiter = Thread.currentThread();
                if (done != given) {
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
        while (awaitWork()) {
            runRange();
            done = given;
            Thread waiting = waiter;
            if (waiting != null) {
                LockSupport.unpark(waiting);
            }
        }
    }

    private boolean awaitWork() {
        for (int i = 0; given == done; i++) {
            if (ended) {
                return false;
            }
            if (i < SPINS) {
                Thread.onSpinWait();
            } else {
                LockSupport.park(this);
            }
        }
        return true;
    }

    private void runRange() {
        Team.Range work = body;
        if (work == null || from >= to) {
            return;
        }
        try {
            work.run(from, to);
        } catch (Throwable thrown) {
            failure.compareAndSet(null, thrown);
        }
    }
}
