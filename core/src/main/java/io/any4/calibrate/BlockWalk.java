package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.tinygemm.Buffer;
import java.util.List;

/// Takes sequences through a model block by block, so that a block can be looked at, changed and run again before the
/// next one sees its output.
///
/// Keeps the hidden states of all sequences in memory: 4 bytes x tokens x hidden size.
final class BlockWalk {
    private final Decoder decoder;
    private final float[][] states;
    private final Buffer residual;
    private int block;

    BlockWalk(Decoder decoder, List<int[]> windows) {
        this.decoder = decoder;
        int width = decoder.config().hiddenSize();
        int longest = windows.stream().mapToInt(window -> window.length).max().orElse(0);
        residual = decoder.device().allocate((long) longest * width);
        states = new float[windows.size()][];
        for (int w = 0; w < states.length; w++) {
            decoder.requireRunnable(windows.get(w));
            decoder.embed(windows.get(w), residual);
            states[w] = new float[windows.get(w).length * width];
            decoder.device().read(residual, 0, states[w], states[w].length);
        }
    }

    /// The block that is next.
    int block() {
        return block;
    }

    int sequences() {
        return states.length;
    }

    /// Runs one sequence through the next block without going on.
    void observe(int sequence, Tap tap) {
        decoder.device().write(states[sequence], residual, 0);
        decoder.block(block, residual, tokens(sequence), tap);
    }

    /// Replaces every sequence's hidden states by the output of the next block and moves on.
    void advance() {
        for (int w = 0; w < states.length; w++) {
            observe(w, Tap.NONE);
            decoder.device().read(residual, 0, states[w], states[w].length);
        }
        block++;
    }

    /// Shows what the last block leaves to the output head.
    void head(int sequence, Tap tap) {
        decoder.device().write(states[sequence], residual, 0);
        decoder.finish(residual, tokens(sequence), tap);
    }

    private int tokens(int sequence) {
        return states[sequence].length / decoder.config().hiddenSize();
    }
}
