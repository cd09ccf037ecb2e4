package io.any4.cuda.ptx;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.TreeMap;

/// Device memory: separate allocations with guard space between, so that stray accesses hit nothing.
public final class GlobalMemory {
    private static final long GUARD = 4096;

    /// @param log who touched which word in the launch that runs
    record Block(long address, MemorySegment data, AccessLog log) {}

    private final TreeMap<Long, Block> blocks = new TreeMap<>();
    private long next = 1 << 20;
    private Block recent = new Block(0, MemorySegment.NULL, new AccessLog(0));

    /// Memory filled with a pattern that shows where something was never written.
    public long allocate(long bytes) {
        MemorySegment data = Arena.ofAuto().allocate(bytes, 256);
        data.fill((byte) 0xf1);
        Block block = new Block(next, data, new AccessLog((int) ((bytes + 1) / 2)));
        blocks.put(next, block);
        next += (bytes + GUARD + 255) / 256 * 256;
        return block.address;
    }

    public void free(long address) {
        if (blocks.remove(address) == null) {
            throw new PtxException("freeing %#x, which is not allocated".formatted(address));
        }
        recent = new Block(0, MemorySegment.NULL, new AccessLog(0));
    }

    /// The bytes at an address, for copies to and from the host.
    public MemorySegment slice(long address, long bytes) {
        Block block = find(address, bytes, "a copy");
        return block.data.asSlice(address - block.address, bytes);
    }

    /// The allocation that holds an access.
    ///
    /// @throws PtxException if none does
    Block find(long address, long bytes, String what) {
        if (address >= recent.address && address + bytes <= recent.address + recent.data.byteSize()) {
            return recent;
        }
        Map.Entry<Long, Block> entry = blocks.floorEntry(address);
        if (entry == null
                || address + bytes > entry.getKey() + entry.getValue().data.byteSize()) {
            throw new PtxException("out of bounds: %d bytes at %#x by %s".formatted(bytes, address, what));
        }
        recent = entry.getValue();
        return recent;
    }
}
