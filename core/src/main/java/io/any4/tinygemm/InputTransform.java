package io.any4.tinygemm;

/// What happens to the input of a linear layer just before it is multiplied by the weight, which was made for that.
///
/// Like a [Weight] this is a value: a [Device] switches over the permitted types.
public sealed interface InputTransform permits Rotation, FloatActivations {
    /// Elements of an input row.
    int width();

    /// Transforms `rows` consecutive rows; `out` may be `x` if the offsets are the same.
    ///
    /// @param x rows of [#width] floats from element `from` on
    /// @param out receives the transformed rows from element `to` on
    void apply(float[] x, int from, float[] out, int to, int rows);
}
