package io.any4.tinygemm;

import io.any4.machine.BytePrograms;
import io.any4.machine.ByteShape;
import io.any4.machine.Isa;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;

/// A weight of up to 8 bits that is multiplied with tokens rounded to bytes by programs in machine code.
///
/// Rows are looked up again for every few tokens, which costs little beside their products. A result has the
/// same bits however many they are.
final class ByteMatrix implements CpuMatrix {
    /// Rows that stay in the second-level cache while groups of tokens pass by.
    private static final int CACHED = 256;

    /// Rows whose results are kept apart before they are copied to where they belong.
    private static final int FRESH = 1024;

    private final Weight weight;
    private final ByteShape shape;
    private final BytePrograms programs;
    private final ByteRows packed;
    private final ByteTokens tokens;

    ByteMatrix(Weight weight, ByteRows packed, Isa isa) {
        this.weight = weight;
        this.packed = packed;
        shape = packed.shape();
        programs = BytePrograms.of(shape, isa);
        tokens = new ByteTokens(shape);
    }

    @Override
    public Weight weight() {
        return weight;
    }

    @Override
    public int arrangedLength() {
        return shape.tokenBytes() / 4;
    }

    @Override
    public void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        tokens.round(x, offset, arranged, 4 * target);
    }

    @Override
    public int rowGrain() {
        return ByteShape.ROWS;
    }

    @Override
    public void multiply(MemorySegment arranged, int count, float[] y, int from, int to) {
        int atOnce = programs.tokens();
        int step = count <= atOnce ? FRESH : CACHED;
        try {
            for (int row = from; row < to; row += step) {
                int end = Math.min(to, row + step);
                for (int t = 0; t < count; t += atOnce) {
                    multiply(arranged.address(), t, Math.min(atOnce, count - t), y, row, end);
                }
            }
        } finally {
            // programs know addresses only
            Reference.reachabilityFence(arranged);
            Reference.reachabilityFence(this);
        }
    }

    /// Multiplies the tokens from `first` on with the rows `from <= r < to`.
    private void multiply(long token, int first, int count, float[] y, int from, int to) {
        int pieces = Math.ceilDiv(to - from, ByteShape.ROWS);
        int stride = pieces * ByteShape.ROWS;
        MemorySegment memory = Scratch.panel((long) count * stride);
        long x = token + (long) first * shape.tokenBytes();
        programs.multiply(count, packed.address(from), x, memory.address(), pieces, 4L * stride);
        for (int t = 0; t < count; t++) {
            MemorySegment.copy(memory, Tensor.FLOAT, 4L * t * stride, y, (first + t) * weight.rows() + from, to - from);
        }
        Reference.reachabilityFence(memory);
    }
}
