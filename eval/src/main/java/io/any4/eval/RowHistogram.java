package io.any4.eval;

import java.util.List;

/// How the weights of one row are distributed, and where number formats put their levels.
///
/// Weights and levels are in units of the row's groups: a group's smallest weight is 0, its largest 1.
///
/// @param tensor where the row is from
/// @param row its index
/// @param counts weights per bin; bins divide `[0, 1]` evenly
/// @param grids levels of the formats, the learned table among them
public record RowHistogram(String tensor, int row, List<Integer> counts, List<Grid> grids) {
    /// The levels of one format, ascending.
    public record Grid(String name, List<Double> levels) {}
}
