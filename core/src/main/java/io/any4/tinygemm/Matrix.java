package io.any4.tinygemm;

/// A [Weight] made ready for one [Device]: mapped, repacked or uploaded, as the device's kernels want it.
public interface Matrix {
    /// The weight this was made from.
    Weight weight();

    /// Output features.
    default int rows() {
        return weight().rows();
    }

    /// Input features.
    default int columns() {
        return weight().columns();
    }
}
