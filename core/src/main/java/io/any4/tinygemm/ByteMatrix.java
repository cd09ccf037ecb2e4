package io.any4.tinygemm;

import io.any4.machine.BytePrograms;
import io.any4.machine.ByteShape;
import io.any4.machine.Isa;
import java.lang.foreign.MemorySegment;

/// A weight of up to 8 bits that is multiplied with tokens rounded to bytes by programs in machine code.
///
/// Rows are looked up again for every few tokens, which costs little beside their products. A result has the
/// same bits however many they are.
final class ByteMatrix extends ProgramMatrix {
    /// Rows that stay in the second-level cache while groups of tokens pass by.
    private static final int CACHED = 256;

    /// Rows whose results are kept apart before they are copied to where they belong.
    private static final int FRESH = 1024;

    private final BytePrograms programs;
    private final ByteRows packed;
    private final ByteTokens tokens;

    ByteMatrix(Weight weight, ByteRows packed, Isa isa) {
        super(weight, packed.shape().tokenBytes());
        this.packed = packed;
        programs = BytePrograms.of(packed.shape(), isa);
        tokens = new ByteTokens(packed.shape());
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
    void multiply(long token, int count, float[] y, int from, int to) {
        int atOnce = programs.tokens();
        int step = count <= atOnce ? FRESH : CACHED;
        for (int row = from; row < to; row += step) {
            int end = Math.min(to, row + step);
            for (int t = 0; t < count; t += atOnce) {
                multiply(token(token, t), t, Math.min(atOnce, count - t), y, row, end);
            }
        }
    }

    /// Multiplies a few tokens, of which the first is number `first`.
    private void multiply(long token, int first, int count, float[] y, int from, int to) {
        int pieces = Math.ceilDiv(to - from, ByteShape.ROWS);
        int stride = pieces * ByteShape.ROWS;
        MemorySegment memory = Scratch.panel((long) count * stride);
        programs.multiply(count, packed.address(from), token, memory.address(), pieces, 4L * stride);
        copyResults(memory, 0, stride, y, first, count, from, to);
    }
}
