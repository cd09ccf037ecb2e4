package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import org.jspecify.annotations.Nullable;

/// How to open a [CpuDevice].
///
/// The vector width is not among the options because it is fixed for a Java process: it is what the processor
/// prefers, or what the system property `any4.vector.bits` names (128, 256, 512, or `scalar`).
///
/// @param threads threads to compute with, the caller included
/// @param requireVector whether to fail, rather than to run slowly, where the Vector API cannot be used
/// @param accelerator what multiplies prompts instead of plain Java, or null
/// @param activations what looked-up weights are multiplied with
public record CpuOptions(
        int threads, boolean requireVector, @Nullable Accelerator accelerator, Activations activations) {
    public CpuOptions {
        if (threads < 1) {
            throw new InvalidInputException("cannot compute with %d threads: use 1 or more".formatted(threads));
        }
    }

    /// No accelerator, and floats.
    public CpuOptions(int threads, boolean requireVector) {
        this(threads, requireVector, null);
    }

    /// An accelerator or none, and floats.
    public CpuOptions(int threads, boolean requireVector, @Nullable Accelerator accelerator) {
        this(threads, requireVector, accelerator, Activations.F32);
    }

    /// All processors, and whatever kernels there are for floats: to measure a model with.
    public static CpuOptions defaults() {
        return new CpuOptions(Runtime.getRuntime().availableProcessors(), false);
    }

    /// What a model is run with, without an accelerator: [Activations#INT14] where it can be.
    public static Activations activationsToRun() {
        return CpuDevice.obstacle(Activations.INT14).isEmpty() ? Activations.INT14 : Activations.F32;
    }

    /// All processors, and [Activations#INT14] where it can be: to run a model with.
    public static CpuOptions fastest() {
        return new CpuOptions(Runtime.getRuntime().availableProcessors(), false, null, activationsToRun());
    }
}
