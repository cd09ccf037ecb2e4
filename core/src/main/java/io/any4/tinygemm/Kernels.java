package io.any4.tinygemm;

/// The inner loops of a [CpuDevice]: single-threaded, over a range of independent rows or elements.
///
/// [ScalarKernels] is written plainly and is the oracle; every other provider must agree with it within float rounding.
interface Kernels {
    /// What this is, such as `scalar` or `vector 512 bit`.
    String name();

    CpuMatrix prepare(Weight weight, Team team);

    /// `x[i] += y[i]` for `from <= i < to`.
    void add(float[] x, float[] y, int from, int to);

    /// [Device#rmsNorm] for rows `from <= row < to`.
    void rmsNorm(float[] x, float[] gain, float epsilon, int width, float[] out, int from, int to);

    /// `out[i] = silu(gate[i]) * up[i]` for `from <= i < to`.
    void swiglu(float[] gate, float[] up, float[] out, int from, int to);

    /// Rotates one head at `x[offset ..]` by the angles whose `half = headDim / 2` cosines and sines are at
    /// `cos[angle ..]` and `sin[angle ..]`.
    void rotate(float[] x, int offset, float[] cos, float[] sin, int angle, int half);

    /// The largest of `x[i]` for `from <= i < to`, of which there is one at least; NaN if one is.
    float max(float[] x, int from, int to);

    /// `out[i] = e^(factor * (x[from + i] - largest))` for `i < count`; 0 may stand for what is below e^-87.
    void exponentials(float[] x, int from, float largest, float factor, float[] out, int count);

    /// [Device#attention], shared out to a team.
    void attention(Attention attention, Team team);
}
