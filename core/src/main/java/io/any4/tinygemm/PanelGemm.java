package io.any4.tinygemm;

import java.lang.foreign.MemorySegment;

/// The dense product inside a matrix product of many tokens: rows of a weight, decoded to floats, times the tokens.
///
/// [CpuDevice] decodes a panel of rows at a time and has it multiplied with all tokens, so that decoding is paid for
/// once. An [Accelerator] brings it; `Gemm` is what there is in plain Java.
///
/// A result depends on its own row and token and on how many tokens there are, and on nothing else: not on the other
/// rows of its panel, not on the values of the other tokens, and not on the thread.
public interface PanelGemm {
    /// From so many tokens on, it is used.
    int fewestTokens();

    /// Rows that are decoded and multiplied together.
    int panelRows();

    /// Starts a product, which ends the one before: they may share memory.
    ///
    /// @param tokens how many tokens there are
    /// @param length floats of a token and of a row
    Product begin(int tokens, int length);

    /// A product in progress, shared by all threads.
    interface Product {
        /// Tokens that are best handed over together: ranges of tokens start at multiples of this.
        int tokenGrain();

        /// Takes `count` tokens, at most [#tokenGrain], the first of which is token `first`. To be called once for each
        /// token, by any thread, before the first panel is multiplied.
        ///
        /// @param floats `[count, length]`, free for other use afterwards
        void put(int first, int count, MemorySegment floats);

        /// A panel for the calling thread alone.
        Panel panel();
    }

    /// Some rows of a weight.
    interface Panel {
        /// Takes a row of `length` floats; `index` counts from 0 and is less than [#panelRows].
        void put(int index, MemorySegment floats);

        /// `y[at + t * stride + i]` for all tokens `t` and the rows `i < rows` that were put last.
        void multiply(int rows, float[] y, int at, int stride);
    }
}
