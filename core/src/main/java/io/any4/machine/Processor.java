package io.any4.machine;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.invoke.MethodHandle;
import java.util.EnumSet;
import java.util.Set;

/// What the processor says it can do: bits of the instruction `cpuid`.
///
/// Whether the system keeps the wide registers, too, is not asked here: Java has, before it uses them itself.
///
/// @param isas that it has
record Processor(Set<Isa> isas) {
    /// One that has nothing that matters.
    static final Processor NONE = new Processor(Set.of());

    private static final int FEATURES = 1;
    private static final int FMA = 12;
    private static final int F16C = 29;
    private static final int MORE_FEATURES = 7;
    private static final int AVX2 = 5;
    private static final int AVX512F = 16;
    private static final int AVX512BW = 30;
    private static final int AVX512VL = 31;
    private static final int AVX512_VNNI = 11;
    /// In the second part of [#MORE_FEATURES].
    private static final int AVX_VNNI = 4;

    /// Index of a register in what `cpuid` answers.
    private static final int EAX = 0;

    private static final int EBX = 1;
    private static final int ECX = 2;

    static Processor ask() {
        MethodHandle cpuid = CodeMemory.function(cpuid(), 3);
        int[] features = ask(cpuid, FEATURES, 0);
        int[] more = ask(cpuid, MORE_FEATURES, 0);
        EnumSet<Isa> isas = EnumSet.noneOf(Isa.class);
        if (has(features, ECX, FMA) && has(features, ECX, F16C) && has(more, EBX, AVX2)) {
            isas.add(Isa.AVX2);
            // the first register tells how many more parts there are
            if (more[EAX] >= 1 && has(ask(cpuid, MORE_FEATURES, 1), EAX, AVX_VNNI)) {
                isas.add(Isa.AVX_VNNI);
            }
            boolean avx512 = has(more, EBX, AVX512F) && has(more, EBX, AVX512BW) && has(more, EBX, AVX512VL);
            if (avx512 && has(more, ECX, AVX512_VNNI)) {
                isas.add(Isa.AVX512_VNNI);
            }
        }
        return new Processor(isas);
    }

    boolean has(Isa isa) {
        return isas.contains(isa);
    }

    private static boolean has(int[] answer, int register, int bit) {
        return (answer[register] >>> bit & 1) == 1;
    }

    private static int[] ask(MethodHandle cpuid, int leaf, int part) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment answer = arena.allocate(ValueLayout.JAVA_INT, 4);
            cpuid.invokeExact((long) leaf, (long) part, answer.address());
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
