package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.Action;
import io.any4.cuda.ptx.Instruction.Space;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The loads and stores of one block: alignment, bounds, races.
final class MemoryAccess {
    private final GlobalMemory global;
    private final SharedMemory shared;
    private final MemorySegment parameters;
    private final int epoch;
    private final int blockThread;

    /// @param epoch number of the launch
    /// @param blockThread a number for the block's first thread, different in every block
    MemoryAccess(GlobalMemory global, SharedMemory shared, byte[] parameters, int epoch, int blockThread) {
        this.global = global;
        this.shared = shared;
        this.parameters = MemorySegment.ofArray(parameters);
        this.epoch = epoch;
        this.blockThread = blockThread;
    }

    void load(Action.Load load, Instruction by, long[][] registers, int active, int firstThread) {
        int size = load.type().bytes();
        int count = by.destinations().length;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = address(by, load.space(), registers, lane, size * count);
                for (int i = 0; i < count; i++) {
                    long value = read(load.space(), address + (long) i * size, size, firstThread + lane, by);
                    registers[by.destinations()[i]][lane] = extended(load.type(), value);
                }
            }
        }
    }

    /// Loads narrower than a register extend by their type.
    private static long extended(PtxType type, long value) {
        return type.kind() == 's' && type.bits() < 32 ? type.number(value) & 0xffffffffL : value;
    }

    void store(Action.Store store, Instruction by, long[][] registers, int active, int firstThread) {
        int size = store.type().bytes();
        int count = by.sources().length - 1;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = address(by, store.space(), registers, lane, size * count);
                for (int i = 0; i < count; i++) {
                    long value = registers[by.sources()[i + 1]][lane];
                    write(store.space(), address + (long) i * size, size, value, firstThread + lane, by);
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

    private long read(Space space, long address, int size, int thread, Instruction by) {
        return switch (space) {
            case SHARED -> shared.read(address, size, thread, by);
            case PARAM -> get(parameters, address, size);
            case GLOBAL -> {
                GlobalMemory.Block block = global.find(address, size, by.text());
                long at = address - block.address();
                block.log().read((int) (at / 4), blockThread + thread, epoch, by);
                yield get(block.data(), at, size);
            }
        };
    }

    private void write(Space space, long address, int size, long value, int thread, Instruction by) {
        switch (space) {
            case SHARED -> shared.write(address, size, value, thread, by);
            case PARAM -> throw new PtxException("a kernel cannot write its parameters: " + by.text());
            case GLOBAL -> {
                GlobalMemory.Block block = global.find(address, size, by.text());
                long at = address - block.address();
                block.log().write((int) (at / 4), blockThread + thread, epoch, by);
                set(block.data(), at, size, value);
            }
        }
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

    /// Rounds through the banks that an access to shared memory takes.
    int wavefronts(Instruction by, long[][] registers, int active, int bytes) {
        long[] words = new long[Warp.LANES * Math.max(1, bytes / 4)];
        int count = 0;
        for (int lane = 0; lane < Warp.LANES; lane++) {
            if ((active >> lane & 1) != 0) {
                long address = registers[by.sources()[0]][lane] + by.offset() & 0xffffffffL;
                for (int i = 0; i < Math.max(1, bytes / 4); i++) {
                    words[count++] = address / 4 + i;
                }
            }
        }
        return SharedMemory.wavefronts(words, count);
    }
}
