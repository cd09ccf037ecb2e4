package io.any4.cuda.ptx;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Collects a kernel while it is parsed, and gives each name a register.
final class KernelBuilder {
    private final String name;
    private final List<Instruction> instructions = new ArrayList<>();
    private final Map<String, Integer> labels = new HashMap<>();
    private final Map<String, Integer> registers = new HashMap<>();
    private final Map<Long, Integer> constantRegisters = new HashMap<>();
    private final Map<Integer, Long> constants = new HashMap<>();
    private final Map<String, Integer> specials = new HashMap<>();
    private final Map<String, Long> symbols = new HashMap<>();
    private int registerCount;
    private int sharedBytes;
    private int parameterBytes;
    private boolean startsEarly;

    KernelBuilder(String name) {
        this.name = name;
    }

    void parameter(String symbol, int alignment, int bytes) {
        parameterBytes = (parameterBytes + alignment - 1) / alignment * alignment;
        symbols.put(symbol, (long) parameterBytes);
        parameterBytes += bytes;
    }

    void shared(String symbol, int alignment, int bytes) {
        sharedBytes = (sharedBytes + alignment - 1) / alignment * alignment;
        symbols.put(symbol, (long) sharedBytes);
        sharedBytes += bytes;
    }

    /// Shared memory whose size the launch gives; it begins after all of a known size.
    void dynamicShared(String symbol, int alignment) {
        shared(symbol, alignment, 0);
    }

    void label(String label) {
        labels.put(label, instructions.size());
    }

    void add(Instruction instruction) {
        instructions.add(instruction);
        startsEarly |= instruction.action() instanceof Instruction.Action.LetNextStart;
    }

    /// A register whose name has no percent sign, as inline assembly declares them.
    void declare(String register) {
        registers.computeIfAbsent(register, key -> registerCount++);
    }

    /// The register of a scalar operand: a register, a number, a symbol or a special register.
    int operand(String text) {
        if (text.startsWith("%")) {
            boolean special = text.contains(".") || text.equals("%laneid");
            Map<String, Integer> names = special ? specials : registers;
            return names.computeIfAbsent(text, key -> registerCount++);
        }
        Integer declared = registers.get(text);
        if (declared != null) {
            return declared;
        }
        Long address = symbols.get(text);
        return constant(address == null ? number(text) : address);
    }

    private int constant(long value) {
        return constantRegisters.computeIfAbsent(value, key -> {
            constants.put(registerCount, value);
            return registerCount++;
        });
    }

    private static long number(String text) {
        if (text.startsWith("0f")) {
            return Long.parseLong(text.substring(2), 16);
        }
        if (text.startsWith("0x")) {
            return Long.parseUnsignedLong(text.substring(2), 16);
        }
        try {
            return Long.parseLong(text);
        } catch (NumberFormatException e) {
            throw new PtxException("no such operand: " + text, e);
        }
    }

    Kernel build() {
        return new Kernel(
                name,
                List.copyOf(instructions),
                Map.copyOf(labels),
                registerCount,
                Map.copyOf(constants),
                Map.copyOf(specials),
                sharedBytes,
                startsEarly,
                parameterBytes);
    }
}
