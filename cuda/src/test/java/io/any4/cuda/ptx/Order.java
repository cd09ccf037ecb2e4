package io.any4.cuda.ptx;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/// What happens before what within one block, by vector clocks (Lamport 1978; FastTrack, Flanagan and Freund 2009).
///
/// Agents are the block's threads and, for each barrier in shared memory, the copies that it announces. An access at
/// a clock of one agent happens before what another agent does once that one knows the clock: it learns it at
/// block and warp barriers, by waiting for a barrier in shared memory, and from other blocks by atomics between
/// fences.
final class Order {
    private static final int MOST_BARRIERS = 64;

    private final int block;
    private final int threads;
    private final int[][] known;
    private final int[][] fenced;
    private final Map<Integer, int[]>[] foreign;
    private final Map<Integer, int[]>[] heard;

    @SuppressWarnings({"unchecked", "rawtypes"}) // arrays of maps
    Order(int block, int threads) {
        this.block = block;
        this.threads = threads;
        known = new int[threads][threads + MOST_BARRIERS];
        fenced = new int[threads][];
        foreign = new Map[threads];
        heard = new Map[threads];
        for (int thread = 0; thread < threads; thread++) {
            known[thread][thread] = 1;
        }
    }

    int block() {
        return block;
    }

    /// The agent of a barrier's copies.
    int copier(int barrier) {
        if (barrier >= MOST_BARRIERS) {
            throw new PtxException("more than %d barriers in shared memory".formatted(MOST_BARRIERS));
        }
        return threads + barrier;
    }

    int clock(int thread) {
        return known[thread][thread];
    }

    /// Whether an agent's access at a clock happens before what the thread does next.
    boolean sees(int thread, int agent, int clock) {
        return agent == thread || known[thread][agent] >= clock;
    }

    /// The same for a thread of any block.
    boolean sees(int thread, int otherBlock, int otherThread, int clock) {
        if (otherBlock == block) {
            return sees(thread, otherThread, clock);
        }
        int[] clocks = foreign[thread] == null ? null : foreign[thread].get(otherBlock);
        return clocks != null && clocks[otherThread] >= clock;
    }

    /// A barrier of threads `first` to `first + count - 1`.
    void meet(int first, int count) {
        int[] all = new int[threads + MOST_BARRIERS];
        Map<Integer, int[]> others = null;
        for (int thread = first; thread < first + count; thread++) {
            join(all, known[thread]);
            others = union(others, foreign[thread]);
        }
        for (int thread = first; thread < first + count; thread++) {
            System.arraycopy(all, 0, known[thread], 0, all.length);
            foreign[thread] = others;
            known[thread][thread]++;
        }
    }

    /// What a thread knows, for others to learn.
    int[] release(int thread) {
        int[] snapshot = known[thread].clone();
        known[thread][thread]++;
        return snapshot;
    }

    void learn(int thread, int[] clocks) {
        join(known[thread], clocks);
    }

    /// A fence of the whole GPU: what the thread knows can then be told by an atomic, and what atomics have told it
    /// counts.
    void fence(int thread) {
        fenced[thread] = release(thread);
        foreign[thread] = union(foreign[thread], heard[thread]);
        heard[thread] = null;
    }

    /// An atomic of a thread on a word that carries what was told there before.
    ///
    /// @param told what threads of each block have told; changed
    void exchange(int thread, Map<Integer, int[]> told) {
        heard[thread] = union(heard[thread], told);
        if (fenced[thread] != null) {
            int[] mine = fenced[thread].clone();
            int[] before = told.get(block);
            if (before != null) {
                join(mine, before);
            }
            told.put(block, mine);
        }
    }

    static void join(int[] into, int[] clocks) {
        for (int i = 0; i < into.length; i++) {
            into[i] = Math.max(into[i], clocks[i]);
        }
    }

    /// Maps are not changed once they are here, nor their arrays.
    private static @Nullable Map<Integer, int[]> union(
            @Nullable Map<Integer, int[]> a, @Nullable Map<Integer, int[]> b) {
        if (a == b || b == null || b.isEmpty()) {
            return a;
        }
        Map<Integer, int[]> union = new HashMap<>(a == null ? Map.of() : a);
        b.forEach((key, clocks) -> union.merge(key, clocks, (x, y) -> {
            int[] both = Arrays.copyOf(x, x.length);
            join(both, y);
            return both;
        }));
        return union;
    }
}
