package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Linear;
import io.any4.model.Tap;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Weight;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// Takes sequences through a model block by block, so that a block can be looked at, changed and run again before the
/// next one sees its output.
///
/// Keeps the hidden states of all sequences in memory: 4 bytes x tokens x hidden size.
final class BlockWalk {
    /// Ends a pass from within a tap.
    private static final class SeenEnough extends RuntimeException {
        SeenEnough() {
            super(null, null, false, false);
        }
    }

    private static final SeenEnough SEEN_ENOUGH = new SeenEnough();

    private final Decoder decoder;
    private final float[][] states;
    private final Buffer residual;
    private final Map<String, Weight> originals = new HashMap<>();
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

    /// Whether all blocks are behind.
    boolean atHead() {
        return block == decoder.config().layers();
    }

    void requireAt(int expected) {
        if (block != expected) {
            throw new IllegalStateException("block %d is quantized before block %d".formatted(expected, block));
        }
    }

    int sequences() {
        return states.length;
    }

    /// Runs one sequence through the next block without going on.
    void observe(int sequence, Tap tap) {
        decoder.device().write(states[sequence], residual, 0);
        decoder.block(block, residual, tokens(sequence), tap);
    }

    /// Runs one sequence through the next block as far as the input of one linear layer.
    void observeUpTo(int sequence, String linear, Tap tap) {
        try {
            observe(sequence, (name, x, tokens) -> {
                tap.input(name, x, tokens);
                if (name.equals(linear)) {
                    throw SEEN_ENOUGH;
                }
            });
        } catch (SeenEnough e) {
            // the rest of the block would have been thrown away
        }
    }

    /// Gives the next block other weights until the walk moves on.
    void lend(Map<String, Weight> weights) {
        if (originals.isEmpty()) {
            for (List<Linear> group : decoder.inputGroups(block)) {
                group.forEach(
                        linear -> originals.put(linear.name(), linear.matrix().weight()));
            }
        }
        decoder.replace(block, weights);
    }

    /// Replaces every sequence's hidden states by the output of the next block and moves on. The block gets its own
    /// weights back.
    void advance() {
        for (int w = 0; w < states.length; w++) {
            observe(w, Tap.NONE);
            decoder.device().read(residual, 0, states[w], states[w].length);
        }
        decoder.replace(block, originals);
        originals.clear();
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
