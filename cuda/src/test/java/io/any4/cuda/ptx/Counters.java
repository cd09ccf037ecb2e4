package io.any4.cuda.ptx;

import io.any4.cuda.ptx.Instruction.Space;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;

/// What was executed: the means of judging a kernel where nothing can be timed.
public final class Counters {
    private static final Set<String> LOGIC =
            Set.of("prmt", "and", "or", "xor", "not", "shl", "shr", "add", "sub", "min", "max", "setp", "selp", "bfi");

    private final Map<String, Long> instructions = new TreeMap<>();
    private long total;
    private long sharedAccesses;
    private long sharedWavefronts;
    private long globalWavefronts;
    private long copiedBytes;

    void executed(Instruction instruction) {
        total++;
        String text = instruction.text();
        int from = instruction.guard() >= 0 ? text.indexOf(' ') + 1 : 0;
        int end = from;
        while (end < text.length() && !Character.isWhitespace(text.charAt(end))) {
            end++;
        }
        instructions.merge(text.substring(from, end), 1L, Long::sum);
    }

    void accessed(Space space, int wavefronts) {
        if (space == Space.SHARED) {
            sharedAccesses++;
            sharedWavefronts += wavefronts;
        } else {
            globalWavefronts += wavefronts;
        }
    }

    void copied(int bytes) {
        copiedBytes += bytes;
    }

    /// Instructions that warps executed.
    public long total() {
        return total;
    }

    /// Instructions with a name such as `prmt`, whatever follows the point.
    public long of(String name) {
        long sum = 0;
        for (Map.Entry<String, Long> entry : instructions.entrySet()) {
            String opcode = entry.getKey();
            sum += opcode.equals(name) || opcode.startsWith(name + ".") ? entry.getValue() : 0;
        }
        return sum;
    }

    /// Instructions of the pipeline for integers and logic, which takes half as many per clock as a multiprocessor
    /// issues. Multiplications run elsewhere.
    public long logic() {
        long sum = 0;
        for (Map.Entry<String, Long> entry : instructions.entrySet()) {
            String[] parts = entry.getKey().split("\\.");
            boolean number = parts[parts.length - 1].startsWith("f");
            sum += !number && LOGIC.contains(parts[0]) ? entry.getValue() : 0;
        }
        return sum;
    }

    /// Rounds through the banks of shared memory.
    public long sharedWavefronts() {
        return sharedWavefronts;
    }

    /// Rounds through the first-level cache: 128-byte lines that accesses to device memory touch.
    public long globalWavefronts() {
        return globalWavefronts;
    }

    /// Bytes that bulk copies brought to shared memory.
    public long copiedBytes() {
        return copiedBytes;
    }

    /// Rounds through the banks of shared memory per access: 1 is free of conflicts (for words; 4 for
    /// 16-byte vectors).
    public double wavefrontsPerAccess() {
        return sharedAccesses == 0 ? 0 : (double) sharedWavefronts / sharedAccesses;
    }
}
