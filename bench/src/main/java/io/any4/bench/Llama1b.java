package io.any4.bench;

import java.util.ArrayList;
import java.util.List;

/// The linear layers of a Llama-3.2-1B: 1.24 billion weights, the shape that all speeds are reported for.
final class Llama1b {
    static final int HIDDEN = 2048;
    static final int INTERMEDIATE = 8192;
    static final int HEADS = 32;
    static final int HEAD_DIM = 64;
    static final int KV_WIDTH = 512;
    static final int LAYERS = 16;
    static final int VOCABULARY = 128256;

    private Llama1b() {}

    /// One matrix: `rows` output features, `columns` input features.
    record Linear(int rows, int columns) {}

    /// All products of one token, in order.
    static List<Linear> linears() {
        List<Linear> linears = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            linears.add(new Linear(HIDDEN, HIDDEN));
            linears.add(new Linear(KV_WIDTH, HIDDEN));
            linears.add(new Linear(KV_WIDTH, HIDDEN));
            linears.add(new Linear(HIDDEN, HIDDEN));
            linears.add(new Linear(INTERMEDIATE, HIDDEN));
            linears.add(new Linear(INTERMEDIATE, HIDDEN));
            linears.add(new Linear(HIDDEN, INTERMEDIATE));
        }
        linears.add(new Linear(VOCABULARY, HIDDEN));
        return linears;
    }
}
