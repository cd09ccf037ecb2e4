package io.any4.cuda.ptx;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The shared memory of a block, with its race log.
final class SharedMemory {
    private static final int BANKS = 32;

    private final byte[] bytes;
    private final SharedLog log;

    SharedMemory(int size, Order order, int threads) {
        bytes = new byte[size];
        Arrays.fill(bytes, (byte) 0xf1);
        log = new SharedLog((size + 3) / 4, order, threads);
    }

    long read(long address, int size, int thread, Instruction by) {
        check(address, size, by);
        for (long at = address; at < address + size; at += 4) {
            log.read((int) (at / 4), thread, by);
        }
        return value(address, size);
    }

    /// An atomic of a thread; gives what was there before.
    long atomic(long address, Instruction.Action.Atomic atomic, long operand, int thread, Instruction by) {
        int size = atomic.type().bytes();
        check(address, size, by);
        for (long at = address; at < address + size; at += 4) {
            log.atomic((int) (at / 4), thread, by);
        }
        long before = value(address, size);
        put(address, size, atomic.result(before, operand));
        return before;
    }

    private long value(long address, int size) {
        long value = 0;
        for (int i = 0; i < size; i++) {
            value |= (bytes[(int) address + i] & 0xffL) << 8 * i;
        }
        return value;
    }

    private void put(long address, int size, long value) {
        for (int i = 0; i < size; i++) {
            bytes[(int) address + i] = (byte) (value >>> 8 * i);
        }
    }

    void write(long address, int size, long value, int thread, Instruction by) {
        check(address, size, by);
        for (long at = address; at < address + size; at += 4) {
            log.write((int) (at / 4), thread, by);
        }
        put(address, size, value);
    }

    /// Marks what a bulk copy will fill.
    ///
    /// @param thread that asks for the copy
    /// @param agent that stands for it, and its clock
    void overwrite(long address, int size, int thread, int agent, int clock, Instruction by) {
        check(address, size, by);
        for (long at = address; at < address + size; at += 4) {
            log.write((int) (at / 4), thread, agent, clock, by);
        }
    }

    /// Puts what a bulk copy brings.
    void fill(long address, MemorySegment data) {
        MemorySegment.ofArray(bytes).asSlice(address, data.byteSize()).copyFrom(data);
    }

    private void check(long address, int size, Instruction by) {
        if (address < 0 || address + size > bytes.length) {
            throw new PtxException("out of bounds: %d bytes at %d of %d shared by: %s"
                    .formatted(size, address, bytes.length, by.text()));
        }
    }

    /// Rounds that an access of these words takes: the most different words that fall into one bank.
    static int wavefronts(long[] words, int count) {
        long[] distinct = Arrays.copyOf(words, count);
        Arrays.sort(distinct);
        int[] perBank = new int[BANKS];
        int most = 0;
        for (int i = 0; i < count; i++) {
            if (i == 0 || distinct[i] != distinct[i - 1]) {
                most = Math.max(most, ++perBank[(int) (distinct[i] % BANKS)]);
            }
        }
        return most;
    }
}
