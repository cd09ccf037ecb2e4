package io.any4.cuda.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Who wrote and read each word of a block's shared memory, and when by their own clocks.
///
/// Two agents that use a word, one of them writing, race unless one use happens before the other. Atomics do not race
/// with each other, but with all else.
final class SharedLog {
    /// Readers of a word that are listed one by one; of more, the clocks of all threads are kept.
    private static final int LISTED = 8;

    private final Order order;
    private final int threads;
    private final int[] writers;
    private final int[] writeClocks;
    private final int[][] readers;
    /// Clocks of the threads whose atomics on a word came after its last write; null if there were none.
    private final int[][] atomics;

    SharedLog(int words, Order order, int threads) {
        this.order = order;
        this.threads = threads;
        writers = new int[words];
        writeClocks = new int[words];
        readers = new int[words][];
        atomics = new int[words][];
    }

    void read(int word, int thread, Instruction by) {
        if (!order.sees(thread, writers[word], writeClocks[word])) {
            throw race(word, thread, writers[word], by);
        }
        requireSeen(word, thread, atomics[word], by);
        int clock = order.clock(thread);
        int[] list = readers[word];
        if (list != null && list.length == threads) {
            list[thread] = clock;
            return;
        }
        int end = list == null ? 0 : list.length;
        for (int i = 0; i < end; i += 2) {
            if (list[i] == thread) {
                list[i + 1] = clock;
                return;
            }
        }
        if (end < 2 * LISTED) {
            int[] longer = end == 0 ? new int[2] : Arrays.copyOf(list, end + 2);
            longer[end] = thread;
            longer[end + 1] = clock;
            readers[word] = longer;
        } else {
            int[] all = new int[threads];
            for (int i = 0; i < end; i += 2) {
                all[list[i]] = list[i + 1];
            }
            all[thread] = clock;
            readers[word] = all;
        }
    }

    /// An atomic of a thread.
    void atomic(int word, int thread, Instruction by) {
        int[] others = atomics[word];
        atomics[word] = null;
        write(word, thread, writers[word], writeClocks[word], by); // what a write must wait for, without being one
        atomics[word] = others == null ? new int[threads] : others;
        atomics[word][thread] = order.clock(thread);
    }

    /// A write of a thread itself.
    void write(int word, int thread, Instruction by) {
        write(word, thread, thread, order.clock(thread), by);
    }

    /// A write that a thread orders and an agent carries out at a clock of its own.
    void write(int word, int thread, int agent, int clock, Instruction by) {
        if (!order.sees(thread, writers[word], writeClocks[word])) {
            throw race(word, thread, writers[word], by);
        }
        requireSeen(word, thread, atomics[word], by);
        atomics[word] = null;
        int[] list = readers[word];
        if (list != null) {
            boolean all = list.length == threads;
            for (int i = 0; i < list.length; i += all ? 1 : 2) {
                int reader = all ? i : list[i];
                if (!order.sees(thread, reader, all ? list[i] : list[i + 1])) {
                    throw race(word, thread, reader, by);
                }
            }
            readers[word] = null;
        }
        writers[word] = agent;
        writeClocks[word] = clock;
    }

    /// @param clocks of all threads, 0 where there is nothing to see; or null
    private void requireSeen(int word, int thread, int @Nullable [] clocks, Instruction by) {
        for (int other = 0; clocks != null && other < threads; other++) {
            if (clocks[other] > 0 && !order.sees(thread, other, clocks[other])) {
                throw race(word, thread, other, by);
            }
        }
    }

    private PtxException race(int word, int thread, int other, Instruction by) {
        return new PtxException("race on word %d of shared memory between thread %d and %s at: %s"
                .formatted(word, thread, other < threads ? "thread " + other : "a bulk copy", by.text()));
    }
}
