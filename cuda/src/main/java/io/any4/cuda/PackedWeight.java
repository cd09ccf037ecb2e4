package io.any4.cuda;

import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// A weight laid out for the kernels, still in host memory.
///
/// @param columns padded to a multiple of 64 and of the group
/// @param group columns that share a scale: 32, 64 or 128 (64, without meaning, for [Format#DENSE])
/// @param offset what is to be added to a code of a format without tables
/// @param codes `[row tiles][columns / 64]` tiles
/// @param tables `[row tiles or 1]` tables of [TablePacker], or null
/// @param tableStride bytes from one row tile's tables to the next's, or 0 for one that all rows share
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
