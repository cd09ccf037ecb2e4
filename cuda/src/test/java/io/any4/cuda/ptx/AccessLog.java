package io.any4.cuda.ptx;

/// Who read and wrote what begins at each 2-byte word of device memory in the launch that runs.
///
/// Two threads that use a word in the same launch, one of them writing, race unless the writer's barrier, or a fence
/// and an atomic, come between.
final class AccessLog {
    private static final int SEVERAL = -2;
    private static final int ATOMIC = -3;

    private final int[] writers;
    private final int[] writeClocks;
    private final int[] writeEpochs;
    private final int[] readers;
    private final int[] readEpochs;

    AccessLog(int words) {
        writers = new int[words];
        writeClocks = new int[words];
        writeEpochs = new int[words];
        readers = new int[words];
        readEpochs = new int[words];
    }

    /// Whether a kernel has written the word, in this launch or an earlier one.
    boolean written(int word) {
        return writeEpochs[word] != 0;
    }

    void read(int word, Accessor accessor, int thread, Instruction by) {
        int id = accessor.id(thread);
        if (writeEpochs[word] == accessor.epoch() && !ordered(word, accessor, thread)) {
            throw race(word, id, writers[word], by);
        }
        boolean known = readEpochs[word] == accessor.epoch() && readers[word] != id;
        readers[word] = known ? SEVERAL : id;
        readEpochs[word] = accessor.epoch();
    }

    void write(int word, Accessor accessor, int thread, Instruction by) {
        int id = accessor.id(thread);
        if (writeEpochs[word] == accessor.epoch() && !ordered(word, accessor, thread)) {
            throw race(word, id, writers[word], by);
        }
        if (readEpochs[word] == accessor.epoch() && readers[word] != id) {
            throw race(word, id, readers[word], by);
        }
        writers[word] = id;
        writeClocks[word] = accessor.order().clock(thread);
        writeEpochs[word] = accessor.epoch();
    }

    /// Atomics do not race with each other, but with all else.
    void atomic(int word, Accessor accessor, int thread, Instruction by) {
        int id = accessor.id(thread);
        if (writeEpochs[word] == accessor.epoch() && writers[word] != ATOMIC) {
            throw race(word, id, writers[word], by);
        }
        if (readEpochs[word] == accessor.epoch() && readers[word] != id) {
            throw race(word, id, readers[word], by);
        }
        writers[word] = ATOMIC;
        writeEpochs[word] = accessor.epoch();
    }

    private boolean ordered(int word, Accessor accessor, int thread) {
        int writer = writers[word];
        if (writer == ATOMIC) {
            return false;
        }
        int other = writer % accessor.threads();
        return writer == accessor.id(thread)
                || accessor.order().sees(thread, writer / accessor.threads(), other, writeClocks[word]);
    }

    private static PtxException race(int word, int thread, int other, Instruction by) {
        String what = switch (other) {
            case SEVERAL -> "several others";
            case ATOMIC -> "an atomic";
            default -> "thread " + other;
        };
        return new PtxException("race on word %d of device memory between thread %d and %s at: %s"
                .formatted(word, thread, what, by.text()));
    }
}
