package io.any4.cuda.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The barriers in a block's shared memory (`mbarrier`), and the bulk copies that they announce.
///
/// A copy arrives as late as it can: when every warp waits. Who reads without waiting then meets what was there
/// before, and is reported as racing with the copy besides.
final class BulkCopies {
    private static final int MULTIPLE = 16;

    private static final class Barrier {
        final int index;
        final int count;
        final int owner;
        final int born;
        int missing;
        long bytes;
        int phase;
        int copies;
        boolean published;
        final int[] arrived;
        final int[] passed;

        /// @param known what its owner knows
        Barrier(int index, int count, int owner, int[] known) {
            this.index = index;
            this.count = count;
            this.owner = owner;
            born = known[owner];
            missing = count;
            arrived = new int[known.length];
            passed = known;
        }

        void settle() {
            if (missing == 0 && bytes == 0) {
                phase++;
                missing = count;
                Order.join(passed, arrived);
            }
        }
    }

    private record Copy(long target, long source, int bytes, Barrier barrier, int clock, int[] known, Instruction by) {}

    private final Order order;
    private final SharedMemory shared;
    private final GlobalMemory global;
    private final Map<Long, Barrier> barriers = new HashMap<>();
    private final List<Copy> underWay = new ArrayList<>();

    BulkCopies(Order order, SharedMemory shared, GlobalMemory global) {
        this.order = order;
        this.shared = shared;
        this.global = global;
    }

    void init(long address, int count, int thread, Instruction by) {
        if (address % 8 != 0) {
            throw new PtxException("misaligned: a barrier at %#x by: %s".formatted(address, by.text()));
        }
        if (barriers.containsKey(address)) {
            throw new PtxException("a barrier is initialized twice by: " + by.text());
        }
        shared.write(address, 8, 0, thread, by);
        barriers.put(address, new Barrier(barriers.size(), count, thread, order.release(thread)));
    }

    /// Shows the copy engine what the thread has initialized.
    void publish(int thread) {
        for (Barrier barrier : barriers.values()) {
            barrier.published |= barrier.owner == thread;
        }
    }

    void arriveExpecting(long address, long bytes, int thread, Instruction by) {
        Barrier barrier = barrier(address, thread, by);
        if (barrier.missing == 0) {
            throw new PtxException("one arrival too many at the barrier by: " + by.text());
        }
        barrier.bytes += bytes;
        barrier.missing--;
        Order.join(barrier.arrived, order.release(thread));
        barrier.settle();
    }

    /// Whether the phase of a parity has ended; then the thread knows all that led to it.
    boolean test(long address, int parity, int thread, Instruction by) {
        Barrier barrier = barrier(address, thread, by);
        if ((barrier.phase & 1) == parity) {
            return false;
        }
        order.learn(thread, barrier.passed);
        return true;
    }

    void copy(long target, long source, int bytes, long address, int thread, Instruction by) {
        if (target % MULTIPLE != 0 || source % MULTIPLE != 0 || bytes % MULTIPLE != 0) {
            throw new PtxException("misaligned: a copy of %d bytes from %#x to %#x by: %s"
                    .formatted(bytes, source, target, by.text()));
        }
        if (bytes <= 0) {
            throw new PtxException("a copy of %d bytes by: %s".formatted(bytes, by.text()));
        }
        Barrier barrier = barrier(address, thread, by);
        if (!barrier.published) {
            throw new PtxException("the copy engine was not shown the barrier (fence.proxy.async) of: " + by.text());
        }
        global.find(source, bytes, by.text());
        int clock = ++barrier.copies;
        shared.overwrite(target, bytes, thread, order.copier(barrier.index), clock, by);
        underWay.add(new Copy(target, source, bytes, barrier, clock, order.release(thread), by));
    }

    private Barrier barrier(long address, int thread, Instruction by) {
        Barrier barrier = barriers.get(address);
        if (barrier == null) {
            throw new PtxException("no barrier was initialized at %#x, used by: %s".formatted(address, by.text()));
        }
        if (!order.sees(thread, barrier.owner, barrier.born)) {
            throw new PtxException(
                    "race between thread %d and the barrier's initialization at: %s".formatted(thread, by.text()));
        }
        return barrier;
    }

    boolean areUnderWay() {
        return !underWay.isEmpty();
    }

    /// Lets everything arrive.
    void complete() {
        for (Copy copy : underWay) {
            Barrier barrier = copy.barrier;
            shared.fill(copy.target, global.slice(copy.source, copy.bytes));
            barrier.bytes -= copy.bytes;
            if (barrier.bytes < 0) {
                throw new PtxException("the barrier expects %d bytes fewer than arrive by: %s"
                        .formatted(-barrier.bytes, copy.by.text()));
            }
            Order.join(barrier.arrived, copy.known);
            int copier = order.copier(barrier.index);
            barrier.arrived[copier] = Math.max(barrier.arrived[copier], copy.clock);
            barrier.settle();
        }
        underWay.clear();
    }
}
