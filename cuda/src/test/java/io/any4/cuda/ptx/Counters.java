package io.any4.cuda.ptx;

import java.util.Map;
import java.util.TreeMap;

/// What was executed: the means of judging a kernel where nothing can be timed.
public final class Counters {
    private final Map<String, Long> instructions = new TreeMap<>();
    private long total;
    private long sharedAccesses;
    private long sharedWavefronts;

    void executed(Instruction instruction) {
        total++;
        String text = instruction.text();
        int from = instruction.guard() >= 0 ? text.indexOf(' ') + 1 : 0;
        int end = from;
        while (end < text.length() && Character.isLetterOrDigit(text.charAt(end))) {
            end++;
        }
        instructions.merge(text.substring(from, end), 1L, Long::sum);
    }

    void sharedAccess(int wavefronts) {
        sharedAccesses++;
        sharedWavefronts += wavefronts;
    }

    /// Instructions that warps executed.
    public long total() {
        return total;
    }

    /// Instructions whose opcode begins with a name such as `prmt`.
    public long of(String name) {
        return instructions.getOrDefault(name, 0L);
    }

    /// Rounds through the banks of shared memory per access: 1 is free of conflicts (for words; 4 for
    /// 16-byte vectors).
    public double wavefrontsPerAccess() {
        return sharedAccesses == 0 ? 0 : (double) sharedWavefronts / sharedAccesses;
    }
}
