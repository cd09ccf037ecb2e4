package io.any4.machine;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.MethodHandle;
import java.util.Arrays;
import java.util.Optional;

/// Memory that code can be run from, on Linux.
///
/// It is written first and made executable afterwards, never both at once, and stays for the life of the
/// process.
final class CodeMemory {
    private static final byte RETURN = (byte) 0xc3;

    private CodeMemory() {}

    /// What keeps this process from running machine code of ours, with what would help; empty if nothing does.
    /// Native access must be allowed.
    static Optional<String> obstacle() {
        if (!SystemMemory.isThere() || !System.getProperty("os.arch").equals("amd64")) {
            return Optional.of("machine code is written for Linux on x86-64 only");
        }
        try {
            load(new byte[] {RETURN});
            return Optional.empty();
        } catch (IllegalStateException e) {
            return Optional.of(String.valueOf(e.getMessage()));
        }
    }

    /// A copy of some code that can be run.
    ///
    /// @throws IllegalStateException if the system gives no such memory, in one sentence
    private static MemorySegment load(byte[] code) {
        MemorySegment memory = SystemMemory.map(code.length);
        memory.copyFrom(MemorySegment.ofArray(code));
        SystemMemory.makeExecutable(memory);
        return memory;
    }

    /// A function in machine code that takes so many addresses and whole numbers and returns nothing.
    static MethodHandle function(byte[] code, int parameters) {
        MemoryLayout[] types = new MemoryLayout[parameters];
        Arrays.fill(types, JAVA_LONG);
        return SystemMemory.function(load(code), FunctionDescriptor.ofVoid(types));
    }
}
