package io.any4.tinygemm;

import java.util.concurrent.locks.LockSupport;

/// One thread of a [Team]: waits for a loop, works on it, reports back.
///
/// Waits spinning first and parks when that takes too long: a loop costs no system call while the team is
/// busy and no processor time while it is not.
final class TeamMember extends Thread {
    private final Team team;
    private final int index;
    private final int spins;
    private volatile boolean parked;

    /// @param index of the range that it starts with
    /// @param spins rounds to wait before giving the processor up
    TeamMember(Team team, int index, int spins) {
        super("any4-team-" + index);
        this.team = team;
        this.index = index;
        this.spins = spins;
        setDaemon(true);
    }

    /// To be called after the number of loops has changed.
    void wake() {
        if (parked) {
            LockSupport.unpark(this);
        }
    }

    @Override
    public void run() {
        long seen = 0;
        while ((seen = awaitLoop(seen)) != Team.CLOSED) {
            team.take(index);
        }
    }

    private long awaitLoop(long seen) {
        long now;
        for (int i = 0; (now = team.loops()) == seen; i++) {
            if (i < spins) {
                Thread.onSpinWait();
            } else {
                parked = true;
                // the caller changes the number and then looks at parked: one of both sees what the other wrote
                if (team.loops() == seen) {
                    LockSupport.park(this);
                }
                parked = false;
            }
        }
        return now;
    }
}
