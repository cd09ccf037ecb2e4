package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Turns a weight matrix into a quantized [Weight]; made by [QuantizationSpec#quantizer()].
///
/// Rows are independent, so they are quantized in parallel, a block of rows at a time; beside input and output
/// only the workspaces of the threads are held. The result does not depend on the number of threads.
public interface Quantizer {
    /// Quantizes into memory that is released when nothing refers to it any more.
    ///
    /// @see #quantize(Tensor, ChannelStatistics, Team, RowListener, Arena)
    default Weight quantize(Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener) {
        return quantize(weights, statistics, team, listener, Arena.ofAuto());
    }

    /// Quantizes a matrix.
    ///
    /// @param weights F32, F16 or BF16 `[out_features, in_features]`
    /// @param statistics of the `in_features` input channels; null counts all channels the same
    /// @param team the threads that share the work
    /// @param listener told about finished rows
    /// @param arena owner of the result's memory; it must allow access from the team's threads
    /// @throws InvalidInputException if a weight is NaN or infinite, or too large for the metadata type; it names
    ///     the row, not the tensor, which only the caller knows
    /// @throws IllegalArgumentException if `weights` is not a float matrix or the statistics have other channels
    Weight quantize(
            Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener, Arena arena);
}
