package io.any4.eval;

import io.any4.calibrate.QuantizationTime;
import io.any4.eval.tasks.TaskResult;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One model of a comparison and what was measured of it.
///
/// @param name what the reader calls it, such as `any4`
/// @param settings the quantization settings in full, or the element type of an unquantized model
/// @param bitsPerWeight storage per weight of the decoder's linear layers, all side data included; embeddings, output
///     projection and norms are not counted
/// @param bytes size of the tensors on disk, everything included
/// @param perplexity on the evaluation text
/// @param divergence from the original; null for the original itself
/// @param relativeError squared error of the linear weights relative to their squared size; NaN if those of a rotated
///     model cannot be compared
/// @param quantizationTime how long quantizing took, or null if that is not known
/// @param tasks results of benchmarks, the same ones for every model; empty if none were asked for
public record ComparisonRow(
        String name,
        String settings,
        double bitsPerWeight,
        long bytes,
        PerplexityResult perplexity,
        @Nullable Divergence divergence,
        double relativeError,
        @Nullable QuantizationTime quantizationTime,
        List<TaskResult> tasks) {
    public ComparisonRow {
        tasks = List.copyOf(tasks);
    }

    /// A model that was not asked any questions.
    public ComparisonRow(
            String name,
            String settings,
            double bitsPerWeight,
            long bytes,
            PerplexityResult perplexity,
            @Nullable Divergence divergence,
            double relativeError,
            @Nullable QuantizationTime quantizationTime) {
        this(name, settings, bitsPerWeight, bytes, perplexity, divergence, relativeError, quantizationTime, List.of());
    }

    /// The same model with results of benchmarks.
    public ComparisonRow withTasks(List<TaskResult> results) {
        return new ComparisonRow(
                name, settings, bitsPerWeight, bytes, perplexity, divergence, relativeError, quantizationTime, results);
    }
}
