package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.Action;
import io.any4.cuda.ptx.Instruction.Space;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;

/// The loads and stores of one block: alignment, bounds, races.
final class MemoryAccess {
    private static final int WORDS_PER_LINE = 32;

    private final GlobalMemory global;
    private final SharedMemory shared;
    private final MemorySegment parameters;
    private final Accessor accessor;
    private final Map<Long, Map<Integer, int[]>> told;

    /// @param told what has been told by atomics in this launch, by address
    MemoryAccess(
            GlobalMemory global,
            SharedMemory shared,
            byte[] parameters,
            Accessor accessor,
            Map<Long, Map<Integer, int[]>> told) {
        this.global = global;
        this.shared = shared;
        this.parameters = MemorySegment.ofArray(parameters);
        this.accessor = accessor;
        this.told = told;
    }

    /// @param early whether the kernels before this one may still run
    void load(Action.Load load, Instruction by, long[][] registers, int active, int firstThread, boolean early) {
        int size = load.type().bytes();
        int count = by.destinations().length;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = address(by, load.space(), registers, lane, size * count);
                for (int i = 0; i < count; i++) {
                    long value = read(load.space(), address + (long) i * size, size, firstThread + lane, early, by);
                    registers[by.destinations()[i]][lane] = extended(load, value);
                }
            }
        }
    }

    /// Loads narrower than a register extend by their type.
    private static long extended(Action.Load load, long value) {
        if (load.type().kind() != 's') {
            return value;
        }
        long number = load.type().number(value);
        return load.wide() ? number : number & 0xffffffffL;
    }

    void store(Action.Store store, Instruction by, long[][] registers, int active, int firstThread, boolean early) {
        int size = store.type().bytes();
        int count = by.sources().length - 1;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = address(by, store.space(), registers, lane, size * count);
                for (int i = 0; i < count; i++) {
                    long value = registers[by.sources()[i + 1]][lane];
                    write(store.space(), address + (long) i * size, size, value, firstThread + lane, early, by);
                }
            }
        }
    }

    private static long address(Instruction by, Space space, long[][] registers, int lane, int bytes) {
        long address = registers[by.sources()[0]][lane] + by.offset();
        if (space == Space.SHARED) {
            address &= 0xffffffffL;
        }
        if (address % bytes != 0 && space != Space.PARAM) {
            throw new PtxException("misaligned: %d bytes at %#x by: %s".formatted(bytes, address, by.text()));
        }
        return address;
    }

    private long read(Space space, long address, int size, int thread, boolean early, Instruction by) {
        return switch (space) {
            case SHARED -> shared.read(address, size, thread, by);
            case PARAM -> get(parameters, address, size);
            case GLOBAL -> {
                GlobalMemory.Block block = global.find(address, size, by.text());
                long at = address - block.address();
                read(block, (int) (at / 2), thread, early, by);
                yield get(block.data(), at, size);
            }
        };
    }

    private void write(Space space, long address, int size, long value, int thread, boolean early, Instruction by) {
        switch (space) {
            case SHARED -> shared.write(address, size, value, thread, by);
            case PARAM -> throw new PtxException("a kernel cannot write its parameters: " + by.text());
            case GLOBAL -> {
                GlobalMemory.Block block = global.find(address, size, by.text());
                long at = address - block.address();
                if (early) {
                    throw early("writes", by);
                }
                block.log().write((int) (at / 2), accessor, thread, by);
                set(block.data(), at, size, value);
            }
        }
    }

    private void read(GlobalMemory.Block block, int word, int thread, boolean early, Instruction by) {
        if (early && block.log().written(word)) {
            throw early("reads what a kernel wrote", by);
        }
        block.log().read(word, accessor, thread, by);
    }

    private static PtxException early(String what, Instruction by) {
        return new PtxException(
                "%s before griddepcontrol.wait, while earlier kernels may run: %s".formatted(what, by.text()));
    }

    /// The source of a bulk copy counts as read by the thread that asks for it.
    void read(long address, int bytes, int thread, boolean early, Instruction by) {
        GlobalMemory.Block block = global.find(address, bytes, by.text());
        int first = (int) ((address - block.address()) / 2);
        for (int word = first; word < first + bytes / 2; word += 2) {
            read(block, word, thread, early, by);
        }
    }

    /// Atomics of the lanes, one after the other.
    void atomic(Action.Atomic atomic, Instruction by, long[][] registers, int active, int firstThread, boolean early) {
        int size = atomic.type().bytes();
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = address(by, atomic.space(), registers, lane, size);
                long operand = registers[by.sources()[1]][lane];
                registers[by.destinations()[0]][lane] = atomic.space() == Space.SHARED
                        ? shared.atomic(address, atomic, operand, firstThread + lane, by)
                        : atomic(address, atomic, operand, firstThread + lane, early, by);
            }
        }
    }

    private long atomic(long address, Action.Atomic atomic, long operand, int thread, boolean early, Instruction by) {
        if (early) {
            throw early("writes", by);
        }
        int size = atomic.type().bytes();
        GlobalMemory.Block block = global.find(address, size, by.text());
        long at = address - block.address();
        block.log().atomic((int) (at / 2), accessor, thread, by);
        accessor.order().exchange(thread, told.computeIfAbsent(address, key -> new HashMap<>()));
        long old = get(block.data(), at, size);
        set(block.data(), at, size, atomic.result(old, operand));
        return old;
    }

    private static long get(MemorySegment data, long at, int size) {
        return switch (size) {
            case 1 -> data.get(ValueLayout.JAVA_BYTE, at) & 0xff;
            case 2 -> data.get(Tensor.SHORT, at) & 0xffff;
            case 4 -> data.get(Tensor.INT, at) & 0xffffffffL;
            default -> data.get(Tensor.LONG, at);
        };
    }

    private static void set(MemorySegment data, long at, int size, long value) {
        switch (size) {
            case 1 -> data.set(ValueLayout.JAVA_BYTE, at, (byte) value);
            case 2 -> data.set(Tensor.SHORT, at, (short) value);
            case 4 -> data.set(Tensor.INT, at, (int) value);
            default -> data.set(Tensor.LONG, at, value);
        }
    }

    /// Rounds that an access takes: through the banks of shared memory, or through the cache, a line of 128 bytes each.
    int wavefronts(Space space, Instruction by, long[][] registers, int active, int bytes) {
        long[] words = new long[Warp.LANES * Math.max(1, bytes / 4)];
        int count = 0;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = registers[by.sources()[0]][lane] + by.offset();
                address = space == Space.SHARED ? address & 0xffffffffL : address;
                for (int i = 0; i < Math.max(1, bytes / 4); i++) {
                    words[count++] = address / 4 + i;
                }
            }
        }
        return space == Space.SHARED ? SharedMemory.wavefronts(words, count) : lines(words, count);
    }

    private static int lines(long[] words, int count) {
        return (int) Arrays.stream(words, 0, count)
                .map(word -> word / WORDS_PER_LINE)
                .distinct()
                .count();
    }
}
