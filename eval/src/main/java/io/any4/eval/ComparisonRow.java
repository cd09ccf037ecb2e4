package io.any4.eval;

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
/// @param relativeError squared error of the linear weights relative to their squared size
/// @param quantizationSeconds how long quantizing took, or null if that is not known
public record ComparisonRow(
        String name,
        String settings,
        double bitsPerWeight,
        long bytes,
        PerplexityResult perplexity,
        @Nullable Divergence divergence,
        double relativeError,
        @Nullable Double quantizationSeconds) {}
