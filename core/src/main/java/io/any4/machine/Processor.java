package io.any4.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;

/// What the processor says it can do: bits of the instruction `cpuid`.
///
/// Whether the system keeps the wide registers, too, is not asked here: Java has, before it uses them itself.
record Processor(boolean avx2, boolean avx512Vnni) {
    private static final int FEATURES = 1;
    private static final int FMA = 12;
    private static final int F16C = 29;
    private static final int MORE_FEATURES = 7;
    private static final int AVX2 = 5;
    private static final int AVX512F = 16;
    private static final int AVX512BW = 30;
    private static final int AVX512VL = 31;
    private static final int AVX512_VNNI = 11;

    /// Index of a register in what `cpuid` answers.
    private static final int EBX = 1;

    private static final int ECX = 2;

    static Processor ask() {
        MethodHandle cpuid = CodeMemory.function(cpuid(), 3);
        int[] features = ask(cpuid, FEATURES);
        int[] more = ask(cpuid, MORE_FEATURES);
        boolean avx2 = has(features, ECX, FMA) && has(features, ECX, F16C) && has(more, EBX, AVX2);
        boolean avx512 = has(more, EBX, AVX512F) && has(more, EBX, AVX512BW) && has(more, EBX, AVX512VL);
        return new Processor(avx2, avx2 && avx512 && has(more, ECX, AVX512_VNNI));
    }

    private static boolean has(int[] answer, int register, int bit) {
        return (answer[register] >>> bit & 1) == 1;
    }

    private static int[] ask(MethodHandle cpuid, int leaf) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(ValueLayout.JAVA_INT, 4);
            cpuid.invokeExact((long) leaf, 0L, answer.address());
            return answer.toArray(ValueLayout.JAVA_INT);
        } catch (Throwable e) {
            throw new IllegalStateException(e);
        }
    }

    /// A function of a leaf, a part of it and the address of the answer: registers eax, ebx, ecx and edx.
    private static byte[] cpuid() {
        Assembler code = new Assembler();
        code.push(Assembler.RBX);
        code.move(Assembler.R8, Assembler.RDX);
        code.move(Assembler.RAX, Assembler.RDI);
        code.move(Assembler.RCX, Assembler.RSI);
        code.askProcessor();
        code.store32(Address.at(Assembler.R8, 0), Assembler.RAX);
        code.store32(Address.at(Assembler.R8, 4), Assembler.RBX);
        code.store32(Address.at(Assembler.R8, 8), Assembler.RCX);
        code.store32(Address.at(Assembler.R8, 12), Assembler.RDX);
        code.pop(Assembler.RBX);
        code.finish();
        return code.toBytes();
    }
}
