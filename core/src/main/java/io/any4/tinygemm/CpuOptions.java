package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import org.jspecify.annotations.Nullable;

/// How to open a [CpuDevice].
///
/// The vector width is not among the options because it is fixed for a Java process: it is what the processor prefers,
/// or what the system property `any4.vector.bits` names (128, 256, 512, or `scalar`).
///
/// @param threads threads to compute with, the caller included
/// @param requireVector whether to fail, rather than to run slowly, where the Vector API cannot be used
/// @param accelerator what multiplies prompts instead of plain Java, or null
public record CpuOptions(
        int threads, boolean requireVector, @Nullable Accelerator accelerator) {
    public CpuOptions {
        if (threads < 1) {
            throw new InvalidInputException("cannot compute with %d threads: use 1 or more".formatted(threads));
        }
    }

    /// Plain Java.
    public CpuOptions(int threads, boolean requireVector) {
        this(threads, requireVector, null);
    }

    /// All processors, and whatever kernels there are.
    public static CpuOptions defaults() {
        return new CpuOptions(Runtime.getRuntime().availableProcessors(), false);
    }
}
