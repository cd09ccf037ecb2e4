package io.any4.calibrate;

import io.any4.model.Decoder;
import io.any4.model.Tap;
import io.any4.quant.InputShift;
import io.any4.tinygemm.Buffer;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Collects how one input of a block differs from what it would be without quantization, while sequences go through the
/// original block and then through the quantized one.
///
/// Holds 4 bytes x channels x channels and the input of one sequence.
final class ShiftCollector implements AutoCloseable {
    private final Decoder decoder;
    private final String leader;
    private final int width;
    private final Arena arena = Arena.ofShared();
    private final CrossSums sums;
    private float[] original = new float[0];
    private @Nullable InputShift finished;

    ShiftCollector(Decoder decoder, String leader, int width) {
        this.decoder = decoder;
        this.leader = leader;
        this.width = width;
        this.sums = new CrossSums(decoder.device(), width, arena);
    }

    boolean covers(String module) {
        return leader.equals(module);
    }

    /// Sees a sequence in the original block.
    Tap original() {
        return (linear, x, tokens) -> {
            if (linear.equals(leader)) {
                original = rows(x, tokens);
            }
        };
    }

    /// Sees the same sequence in the quantized block.
    Tap quantized() {
        return (linear, x, tokens) -> {
            if (linear.equals(leader)) {
                float[] rows = rows(x, tokens);
                for (int i = 0; i < rows.length; i++) {
                    original[i] -= rows[i];
                }
                sums.add(original, rows, tokens);
            }
        };
    }

    private float[] rows(Buffer x, int tokens) {
        float[] rows = new float[Math.multiplyExact(tokens, width)];
        decoder.device().read(x, 0, rows, rows.length);
        return rows;
    }

    /// The shift over all sequences seen; the same object each time. It ends with [#close].
    InputShift shift() {
        InputShift result = finished == null ? new InputShift(sums.mean()) : finished;
        finished = result;
        return result;
    }

    @Override
    public void close() {
        arena.close();
    }
}
