package io.any4.tinygemm;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/// A weight that is multiplied with rounded tokens by programs in machine code, which know addresses only.
abstract class ProgramMatrix implements CpuMatrix {
    private final Weight weight;
    private final int tokenBytes;

    /// @param tokenBytes of a rounded token
    ProgramMatrix(Weight weight, int tokenBytes) {
        this.weight = weight;
        this.tokenBytes = tokenBytes;
    }

    @Override
    public final Weight weight() {
        return weight;
    }

    @Override
    public final int arrangedLength() {
        return tokenBytes / 4;
    }

    @Override
    public final void multiply(MemorySegment arranged, int count, float[] y, int from, int to) {
        try {
            multiply(arranged.address(), count, y, from, to);
        } finally {
            Reference.reachabilityFence(arranged);
            Reference.reachabilityFence(this);
        }
    }

    /// The same with the address of the first token.
    abstract void multiply(long token, int count, float[] y, int from, int to);

    /// The address of a token.
    final long token(long first, int index) {
        return first + (long) index * tokenBytes;
    }

    /// Copies what a program has left of the rows `from <= r < to` and the tokens from `first` on, `stride`
    /// floats from one token to the next.
    final void copyResults(
            MemorySegment memory, long at, int stride, float[] y, int first, int count, int from, int to) {
        for (int t = 0; t < count; t++) {
            int out = (first + t) * weight.rows() + from;
            MemorySegment.copy(memory, Tensor.FLOAT, at + 4L * t * stride, y, out, to - from);
        }
        Reference.reachabilityFence(memory);
    }
}
