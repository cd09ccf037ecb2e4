package io.any4.tinygemm;

import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The loop that a [Team] is running, cut into blocks that its members claim.
///
/// Every member has one contiguous range. Where a range has many grains it is cut into blocks: half of it,
/// then half of the rest, and so on. A member claims its own blocks from first to last and then, member by
/// member, what others have left. So a range is run in one piece where all are equally fast but for its last
/// blocks, and a member that is slower, or late, or not scheduled at all, leaves half of its range or more to
/// the others. Blocks depend on nothing but the arguments and the number of members; who runs them does not
/// matter to a body that writes only what belongs to its indices.
///
/// Each range has a counter of unclaimed blocks, which is all that orders memory here. [#begin] writes the
/// loop's fields and then sets the counters; a claim takes one off a counter. Who got a positive number by
/// that has a block of the loop that the counter was set for, sees the fields, and can rely on them, because
/// the loop ends only after the block has been reported. Fields are therefore read after a claim and never
/// before it, and a thread that comes too late finds nothing to claim, or blocks of the next loop, which are
/// as good.
final class SharedLoop {
    /// How often a range is halved at most: its last block is a sixteenth of it.
    private static final int MOST_HALVINGS = 4;

    /// Grains of a block at least, so that claiming costs little beside the work, and kernels that read
    /// several streams of rows have rows enough for each.
    private static final int FEWEST_GRAINS = 16;

    private final int members;
    /// By range, the blocks that nobody has claimed; below 0 where somebody has asked in vain.
    private final PaddedCounters unclaimed;

    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private Team.@Nullable Range body;
    private int count;
    private int grain;
    private int grains;
    private int halvings;
    /// Blocks of all loops so far.
    private long blocks;

    SharedLoop(int members) {
        this.members = members;
        unclaimed = new PaddedCounters(members);
    }

    /// Offers a loop; the one before must be done.
    void begin(int count, int grain, Team.Range body) {
        this.body = body;
        this.count = count;
        this.grain = grain;
        grains = Math.ceilDiv(count, grain);
        halvings = halvings(grains / members);
        for (int range = 0; range < members; range++) {
            if (firstGrain(range) < firstGrain(range + 1)) {
                unclaimed.setRelease(range, halvings + 1);
                blocks += halvings + 1;
            }
        }
    }

    /// Blocks of all loops so far; for the thread that begins them.
    long blocks() {
        return blocks;
    }

    private static int halvings(int grains) {
        int most = 31 - Integer.numberOfLeadingZeros(Math.max(1, grains / FEWEST_GRAINS));
        return Math.min(MOST_HALVINGS, most);
    }

    /// Runs blocks until none is left to claim: those of range `member`, then those of the ranges behind it.
    ///
    /// @return how many it was
    int work(int member) {
        int done = runBlocks(member);
        for (int i = 1; i < members; i++) {
            int range = member + i < members ? member + i : member + i - members;
            // only read, most counters stay with the member that they belong to
            if (unclaimed.getAcquire(range) > 0) {
                done += runBlocks(range);
            }
        }
        return done;
    }

    private int runBlocks(int range) {
        int done = 0;
        for (long left; (left = unclaimed.takeOne(range)) > 0; done++) {
            run(range, halvings + 1 - (int) left);
        }
        return done;
    }

    private void run(int range, int block) {
        try {
            Objects.requireNonNull(body).run(start(range, block), start(range, block + 1));
        } catch (Throwable thrown) {
            failure.compareAndSet(null, thrown);
        }
    }

    /// The first index of a block; that of the block after the last is where the range ends.
    private int start(int range, int block) {
        int first = firstGrain(range);
        int length = firstGrain(range + 1) - first;
        int before = block > halvings ? length : length - (length >> block);
        return (int) Math.min(count, (long) (first + before) * grain);
    }

    /// Where a range starts. Of unequal ranges the first is the longest: the caller runs it without having to
    /// wake up.
    private int firstGrain(int range) {
        return (int) Math.ceilDiv((long) grains * range, members);
    }

    /// What a body has thrown first, once: the next call returns null.
    @Nullable
    Throwable takeFailure() {
        return failure.get() == null ? null : failure.getAndSet(null);
    }
}
