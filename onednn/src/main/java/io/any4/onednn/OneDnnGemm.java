package io.any4.onednn;

import io.any4.tinygemm.PanelGemm;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.HashMap;
import java.util.Map;

/// Dense products in bf16: tokens and rows are rounded to it, products are summed in floats.
///
/// The number of tokens is rounded up, so that the few shapes a model has are prepared once; what the tokens after the
/// last are does not matter.
final class OneDnnGemm implements PanelGemm {
    private static final int FEWEST_TOKENS = 32;
    private static final int PANEL_ROWS = 64;
    private static final int TOKEN_GRAIN = 16;
    private static final int TOKEN_STEP = 64;
    private static final int LINE = 64;

    private final OneDnn oneDnn;
    private final ThreadLocal<Own> own = ThreadLocal.withInitial(Own::new);
    private MemorySegment inputs = MemorySegment.NULL;

    OneDnnGemm(OneDnn oneDnn) {
        this.oneDnn = oneDnn;
    }

    /// What belongs to one thread.
    private static final class Own {
        final Map<Shape, Matmul> prepared = new HashMap<>();
        MemorySegment rows = MemorySegment.NULL;
        MemorySegment results = MemorySegment.NULL;
    }

    private record Shape(int tokens, int length) {}

    @Override
    public int fewestTokens() {
        return FEWEST_TOKENS;
    }

    @Override
    public int panelRows() {
        return PANEL_ROWS;
    }

    @Override
    public Product begin(int tokens, int length) {
        int padded = Math.ceilDiv(tokens, TOKEN_STEP) * TOKEN_STEP;
        inputs = grown(inputs, 2L * padded * length);
        return new Inputs(this, tokens, padded, length, inputs);
    }

    private static MemorySegment grown(MemorySegment memory, long bytes) {
        return memory.byteSize() >= bytes ? memory : Arena.ofAuto().allocate(bytes, LINE);
    }

    private record Inputs(OneDnnGemm gemm, int tokens, int padded, int length, MemorySegment memory)
            implements Product {
        @Override
        public int tokenGrain() {
            return TOKEN_GRAIN;
        }

        @Override
        public void put(int first, int count, MemorySegment floats) {
            Bf16Rows.round(floats, 0, (long) count * length, memory, 2L * first * length);
        }

        @Override
        public Panel panel() {
            Own own = gemm.own.get();
            own.rows = grown(own.rows, 2L * PANEL_ROWS * length);
            own.results = grown(own.results, 4L * PANEL_ROWS * padded);
            Matmul matmul = own.prepared.computeIfAbsent(
                    new Shape(padded, length), shape -> gemm.oneDnn.matmul(shape.tokens, shape.length, PANEL_ROWS));
            return new Rows(this, own.rows, own.results, matmul);
        }
    }

    private record Rows(Inputs x, MemorySegment memory, MemorySegment results, Matmul matmul) implements Panel {
        @Override
        public void put(int index, MemorySegment floats) {
            Bf16Rows.round(floats, 0, x.length, memory, 2L * index * x.length);
        }

        @Override
        public void multiply(int rows, float[] y, int at, int stride) {
            matmul.run(x.memory, memory, results);
            for (int t = 0; t < x.tokens; t++) {
                MemorySegment.copy(results, ValueLayout.JAVA_FLOAT, 4L * t * PANEL_ROWS, y, at + t * stride, rows);
            }
        }
    }
}
