package io.any4.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.function.Consumer;

/// Memory straight from Linux: the few calls of the C library that it takes.
final class SystemMemory {
    private static final int READ_WRITE = 3;
    private static final int READ_EXECUTE = 5;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final int LARGE_PAGES = 14;
    private static final long FAILED = -1;

    private static final Linker LINKER = Linker.nativeLinker();

    private SystemMemory() {}

    /// Looked up where they are needed, since other systems do not have them.
    private static final class Calls {
        static final MethodHandle MAP =
                call("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        static final MethodHandle UNMAP = call("munmap", JAVA_INT, ADDRESS, JAVA_LONG);
        static final MethodHandle PROTECT = call("mprotect", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
        static final MethodHandle ADVISE = call("madvise", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    }

    /// Whether the system is one whose calls these are.
    static boolean isThere() {
        return System.getProperty("os.name").equals("Linux");
    }

    /// Zeroed memory that can be read and written.
    ///
    /// @throws IllegalStateException if there is none, in one sentence
    static MemorySegment map(long bytes) {
        MemorySegment mapped;
        try {
            mapped = (MemorySegment)
                    Calls.MAP.invokeExact(MemorySegment.NULL, bytes, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
        if (mapped.address() == FAILED) {
            throw new IllegalStateException("the system gives no %d bytes of memory".formatted(bytes));
        }
        return sized(mapped, bytes);
    }

    /// Lets code be run from memory, which can then no longer be written.
    ///
    /// @throws IllegalStateException if the system does not allow it, in one sentence
    static void makeExecutable(MemorySegment memory) {
        if (call(Calls.PROTECT, memory, READ_EXECUTE) != 0) {
            throw new IllegalStateException(
                    "the system lets no memory become executable: a security policy such as SELinux's execmem forbids it");
        }
    }

    /// Asks for large pages, of which there may be none.
    static void preferLargePages(MemorySegment memory) {
        call(Calls.ADVISE, memory, LARGE_PAGES);
    }

    static void unmap(MemorySegment memory) {
        try {
            int status = (int) Calls.UNMAP.invokeExact(memory, memory.byteSize());
            assert status == 0 : "memory that was mapped is unmapped";
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static int call(MethodHandle function, MemorySegment memory, int what) {
        try {
            return (int) function.invokeExact(memory, memory.byteSize(), what);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    private static MethodHandle call(String name, MemoryLayout result, MemoryLayout... parameters) {
        MemorySegment address = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new IllegalStateException("the system's library has no " + name));
        return function(address, FunctionDescriptor.of(result, parameters));
    }

    @SuppressWarnings("restricted")
    static MethodHandle function(MemorySegment address, FunctionDescriptor type) {
        return LINKER.downcallHandle(address, type);
    }

    @SuppressWarnings("restricted")
    private static MemorySegment sized(MemorySegment memory, long bytes) {
        return memory.reinterpret(bytes);
    }

    /// The same memory as an arena's, with what is to be done when it is no longer reachable.
    @SuppressWarnings("restricted")
    static MemorySegment sized(MemorySegment memory, long bytes, Arena arena, Consumer<MemorySegment> cleanup) {
        return memory.reinterpret(bytes, arena, cleanup);
    }
}
