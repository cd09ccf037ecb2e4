package io.any4.tinygemm;

/// Working memory of a [Device]: a fixed number of 32-bit floats that only the device can read or write.
///
/// Shapes are the caller's business; operations take them as arguments, row-major, tokens outermost.
public interface Buffer {
    /// Capacity in floats.
    long length();
}
