package io.any4.tinygemm;

import java.util.Map;
import java.util.WeakHashMap;

/// Rotary position embedding of a [CpuDevice], as a loop that is kept.
final class RopeLoop {
    private final Kernels kernels;
    private final Team team;
    private final Team.Range rotating = this::rotate;
    /// By buffer of frequencies, as long as a model uses it.
    private final Map<Buffer, RopeTable> tables = new WeakHashMap<>();

    private float[] data = {};
    private float[] cosines = {};
    private float[] sines = {};
    private int heads;
    private int headDim;
    private int row;
    private int position;

    RopeLoop(Kernels kernels, Team team) {
        this.kernels = kernels;
        this.team = team;
    }

    /// [Device#rope].
    void run(float[] x, Buffer frequencies, int heads, int headDim, Span span, int position) {
        RopeTable table = table(frequencies);
        table.reach(position + span.tokens());
        data = x;
        cosines = table.cosines();
        sines = table.sines();
        this.heads = heads;
        this.headDim = headDim;
        row = span.row();
        this.position = position;
        team.run(span.tokens(), 4, rotating);
    }

    private RopeTable table(Buffer frequencies) {
        RopeTable table = tables.get(frequencies);
        if (table == null) {
            table = new RopeTable(CpuBuffer.of(frequencies).clone());
            tables.put(frequencies, table);
        }
        return table;
    }

    private void rotate(int from, int to) {
        int half = headDim / 2;
        for (int t = from; t < to; t++) {
            int angle = (position + t) * half;
            for (int head = 0; head < heads; head++) {
                kernels.rotate(data, ((row + t) * heads + head) * headDim, cosines, sines, angle, half);
            }
        }
    }
}
