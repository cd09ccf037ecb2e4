package io.any4.tinygemm;

/// The operations of a [CpuDevice] that take elements or rows one by one, as loops that are kept.
final class ElementLoops {
    /// Elements that are worth a thread.
    private static final int GRAIN = 4096;

    private final Kernels kernels;
    private final Team team;
    private final Team.Range adding = this::add;
    private final Team.Range gating = this::gate;
    private final Team.Range norming = this::norm;

    /// The operands of the operation in progress.
    private float[] x = {};

    private float[] y = {};
    private float[] out = {};
    private float epsilon;
    private int width;

    ElementLoops(Kernels kernels, Team team) {
        this.kernels = kernels;
        this.team = team;
    }

    /// [Device#add].
    void add(float[] sum, float[] addend, int length) {
        x = sum;
        y = addend;
        team.run(length, GRAIN, adding);
    }

    private void add(int from, int to) {
        kernels.add(x, y, from, to);
    }

    /// [Device#swiglu].
    void swiglu(float[] gates, float[] ups, int length, float[] gated) {
        x = gates;
        y = ups;
        out = gated;
        team.run(length, GRAIN, gating);
    }

    private void gate(int from, int to) {
        kernels.swiglu(x, y, out, from, to);
    }

    /// [Device#rmsNorm].
    void rmsNorm(float[] rows, float[] gain, float epsilon, int count, int width, float[] normed) {
        x = rows;
        y = gain;
        out = normed;
        this.epsilon = epsilon;
        this.width = width;
        team.run(count, Math.max(1, GRAIN / width), norming);
    }

    private void norm(int from, int to) {
        kernels.rmsNorm(x, y, epsilon, width, out, from, to);
    }
}
