package io.any4.cuda;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A weight laid out for the kernels, still in host memory.
///
/// @param columns padded to a multiple of 64 and of the group
/// @param group columns that share a scale: 32, 64 or 128 (64, without meaning, for [Format#DENSE])
/// @param offset what the kernel's decoding of a code is too high by
/// @param codes `[row tiles][columns / 64]` tiles
/// @param tables activation-type numbers `[rows of all tiles or 1][16]`, or null
/// @param tableStride numbers from one row's table to the next: 16, or 0 for one table
/// @param scales f16 pairs (scale, zero) `[row tiles][groups][8][2]`: row g, then row g + 8; null for
///     [Format#DENSE]
/// @param factors f32 `[rows]` that the result of a row is multiplied by, or null
record PackedWeight(
        Format format,
        int rows,
        int columns,
        int group,
        float offset,
        MemorySegment codes,
        @Nullable MemorySegment tables,
        int tableStride,
        @Nullable MemorySegment scales,
        @Nullable MemorySegment factors) {
    /// Row tiles.
    int tiles() {
        return Math.ceilDiv(rows, Format.TILE_ROWS);
    }

    int groups() {
        return columns / group;
    }
}
