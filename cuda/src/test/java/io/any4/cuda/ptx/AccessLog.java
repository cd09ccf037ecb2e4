package io.any4.cuda.ptx;

/// Who read and wrote each 4-byte word within an epoch: between two barriers for shared memory, one
/// launch for global.
///
/// Two threads that use a word in the same epoch, one of them writing, race: nothing orders them.
final class AccessLog {
    private static final int SEVERAL = -2;

    private final int[] writers;
    private final int[] writeEpochs;
    private final int[] readers;
    private final int[] readEpochs;

    AccessLog(int words) {
        writers = new int[words];
        writeEpochs = new int[words];
        readers = new int[words];
        readEpochs = new int[words];
    }

    /// @param epoch positive, and larger than all before
    void read(int word, int thread, int epoch, Instruction by) {
        if (writeEpochs[word] == epoch && writers[word] != thread) {
            throw race(word, thread, writers[word], by);
        }
        boolean known = readEpochs[word] == epoch && readers[word] != thread;
        readers[word] = known ? SEVERAL : thread;
        readEpochs[word] = epoch;
    }

    void write(int word, int thread, int epoch, Instruction by) {
        if (writeEpochs[word] == epoch && writers[word] != thread) {
            throw race(word, thread, writers[word], by);
        }
        if (readEpochs[word] == epoch && readers[word] != thread) {
            throw race(word, thread, readers[word], by);
        }
        writers[word] = thread;
        writeEpochs[word] = epoch;
    }

    private static PtxException race(int word, int thread, int other, Instruction by) {
        return new PtxException("race on word %d between thread %d and %s at: %s"
                .formatted(word, thread, other == SEVERAL ? "several others" : "thread " + other, by.text()));
    }
}
