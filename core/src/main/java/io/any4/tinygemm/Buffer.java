package io.any4.tinygemm;

import io.any4.tensor.DType;

/// Working memory of a [Device]: a fixed number of floats that only the device can read or write.
///
/// Shapes are the caller's business; operations take them as arguments, row-major, tokens outermost.
public interface Buffer {
    /// Capacity in elements.
    long length();

    /// Type of an element: F32, or for the keys and values of a cache possibly F16 or BF16.
    DType dtype();
}
