package io.any4.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Large pieces of zeroed memory that cost nothing before they are written to.
///
/// What an arena allocates is filled with zeros by the calling thread, a page of 4 KB at a time: seconds for
/// a model. Here the system gives pages, large ones if it can, when they are first touched, by the threads
/// that fill them.
public final class Pages {
    /// Less comes from an arena.
    private static final long LARGE = 1 << 21;

    private static final int LINE = 64;

    private Pages() {}

    /// Zeroed memory from a cache line on, which is freed when it can no longer be reached.
    public static MemorySegment allocate(long bytes) {
        if (bytes < LARGE || !SystemMemory.isThere()) {
            return Arena.ofAuto().allocate(bytes, LINE);
        }
        MemorySegment memory;
        try {
            memory = SystemMemory.map(bytes);
        } catch (IllegalStateException e) {
            throw new OutOfMemoryError(e.getMessage());
        }
        SystemMemory.preferLargePages(memory);
        return SystemMemory.sized(memory, bytes, Arena.ofAuto(), SystemMemory::unmap);
    }
}
