package io.any4.machine;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Optional;

/// Memory that code can be run from, on Linux.
///
/// It is written first and made executable afterwards, never both at once, and stays for the life of the
/// process, like code that the Java compiler makes.
final class CodeMemory {
    private static final int READ_WRITE = 3;
    private static final int READ_EXECUTE = 5;
    private static final int PRIVATE_ANONYMOUS = 0x22;
    private static final long FAILED = -1;

    private static final Linker LINKER = Linker.nativeLinker();

    private CodeMemory() {}

    /// Looked up where they are needed, since other systems do not have them.
    private static final class Calls {
        static final MethodHandle MAP =
                system("mmap", ADDRESS, ADDRESS, JAVA_LONG, JAVA_INT, JAVA_INT, JAVA_INT, JAVA_LONG);
        static final MethodHandle PROTECT = system("mprotect", JAVA_INT, ADDRESS, JAVA_LONG, JAVA_INT);
    }

    /// What keeps this process from running machine code of ours, with what would help; empty if nothing does.
    static Optional<String> obstacle() {
        if (!System.getProperty("os.name").equals("Linux")
                || !System.getProperty("os.arch").equals("amd64")) {
            return Optional.of("machine code is written for Linux on x86-64 only");
        }
        try {
            load(new byte[] {(byte) 0xc3});
            return Optional.empty();
        } catch (IllegalCallerException e) {
            return Optional.of("native access is denied: start java with --enable-native-access=io.any4.core,"
                    + " or ALL-UNNAMED where any4j is on the class path");
        } catch (IllegalStateException e) {
            return Optional.of(e.getMessage());
        }
    }

    /// The address of a copy of some code that can be run.
    ///
    /// @throws IllegalStateException if the system gives no such memory, in one sentence
    static MemorySegment load(byte[] code) {
        try {
            MemorySegment mapped = (MemorySegment) Calls.MAP.invokeExact(
                    MemorySegment.NULL, (long) code.length, READ_WRITE, PRIVATE_ANONYMOUS, -1, 0L);
            if (mapped.address() == FAILED) {
                throw new IllegalStateException("the system gives no memory for machine code");
            }
            MemorySegment.copy(MemorySegment.ofArray(code), 0, sized(mapped, code.length), 0, code.length);
            if ((int) Calls.PROTECT.invokeExact(mapped, (long) code.length, READ_EXECUTE) != 0) {
                throw new IllegalStateException(
                        "the system lets no memory become executable: a security policy such as SELinux's execmem forbids it");
            }
            return mapped;
        } catch (RuntimeException | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// A function in machine code that takes so many addresses and whole numbers and returns nothing.
    static MethodHandle function(byte[] code, int parameters) {
        MemoryLayout[] types = new MemoryLayout[parameters];
        Arrays.fill(types, JAVA_LONG);
        return handle(load(code), FunctionDescriptor.ofVoid(types));
    }

    private static MethodHandle system(String name, MemoryLayout result, MemoryLayout... parameters) {
        MemorySegment address = LINKER.defaultLookup()
                .find(name)
                .orElseThrow(() -> new IllegalStateException("the system's library has no " + name));
        return handle(address, FunctionDescriptor.of(result, parameters));
    }

    @SuppressWarnings("restricted")
    private static MethodHandle handle(MemorySegment address, FunctionDescriptor type) {
        return LINKER.downcallHandle(address, type);
    }

    @SuppressWarnings("restricted")
    private static MemorySegment sized(MemorySegment memory, long bytes) {
        return memory.reinterpret(bytes);
    }
}
