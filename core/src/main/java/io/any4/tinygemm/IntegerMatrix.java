package io.any4.tinygemm;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import io.any4.machine.RowShape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/// A table weight that is multiplied with rounded tokens by programs in machine code.
///
/// Few tokens meet rows while these are looked up. For many, a panel of rows is looked up, one block of
/// columns at a time, and meets all of them. Either way a result has the same bits.
final class IntegerMatrix extends ProgramMatrix {
    /// From so many tokens on, a panel pays.
    private static final int MANY_TOKENS = 12;

    /// Tokens that meet the same panel: those of rows of 2048 columns about fill in the second-level cache.
    private static final int BLOCK_TOKENS = 264;

    /// Rows in which the four that go together are a quarter apart.
    private static final int CHUNK = 1024;

    /// Rows that stay in the second-level cache while groups of tokens pass by.
    private static final int CACHED = 64;

    private final RowShape shape;
    private final IntegerPrograms programs;
    private final IntegerRows packed;
    private final IntegerTokens tokens;

    /// @param codes the weight's codes, in `bits` bits each
    IntegerMatrix(LutWeight weight, Tensor codes, int bits, Isa isa, Team team) {
        this(weight, IntegerRows.shape(weight, bits), codes, isa, team);
    }

    private IntegerMatrix(LutWeight weight, RowShape shape, Tensor codes, Isa isa, Team team) {
        super(weight, shape.tokenBytes());
        this.shape = shape;
        programs = IntegerPrograms.of(shape, isa);
        packed = new IntegerRows(weight, codes, shape, programs, team);
        tokens = new IntegerTokens(shape, programs);
    }

    RowShape shape() {
        return shape;
    }

    IntegerRows packed() {
        return packed;
    }

    @Override
    public void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        tokens.round(x, offset, arranged, 4 * target);
    }

    @Override
    public int rowGrain() {
        return programs.panelRows();
    }

    @Override
    void multiply(long token, int count, float[] y, int from, int to) {
        if (count < MANY_TOKENS) {
            fewTokens(token, count, y, from, to);
        } else {
            manyTokens(token, count, y, from, to);
        }
    }

    private void fewTokens(long token, int count, float[] y, int from, int to) {
        int atOnce = programs.decodeTokens();
        int step = count <= atOnce ? CHUNK : CACHED;
        for (int row = from; row < to; row += step) {
            int end = Math.min(to, row + step);
            for (int t = 0; t < count; t += atOnce) {
                decode(token, t, Math.min(atOnce, count - t), y, row, end);
            }
        }
    }

    /// Multiplies the tokens from `first` on with the rows `from <= r < to`.
    private void decode(long token, int first, int count, float[] y, int from, int to) {
        int four = IntegerPrograms.decodeRows();
        int quarter = (to - from) / four;
        // the last rows are computed with others that follow, whose results are left behind
        int stride = (quarter + 1) * four;
        long scratchBytes = programs.scratchBytes();
        MemorySegment memory = Scratch.panel(scratchBytes / 4 + (long) count * stride);
        long results = memory.address() + scratchBytes;
        long x = token(token, first);
        decode(count, x, from, quarter, quarter, results, 4L * stride, memory.address());
        if (from + four * quarter < to) {
            int rest = from + four * quarter;
            decode(count, x, rest, 1, 1, results + 4L * four * quarter, 4L * stride, memory.address());
        }
        copyResults(memory, scratchBytes, stride, y, first, count, from, to);
    }

    private void decode(
            int count, long x, int row, int apart, int times, long results, long tokenStride, long scratch) {
        if (times > 0) {
            long rowStride = (long) apart * shape.rowBytes();
            programs.decode(count, packed.address(row), x, results, times, rowStride, 4L * apart, scratch, tokenStride);
        }
    }

    private void manyTokens(long token, int count, float[] y, int from, int to) {
        for (int first = 0; first < count; first += BLOCK_TOKENS) {
            int some = Math.min(BLOCK_TOKENS, count - first);
            long x = token(token, first);
            for (int row = from; row < to; row += programs.panelRows()) {
                panel(x, some, y, first, row, to);
            }
        }
    }

    private void panel(long x, int count, float[] y, int first, int row, int to) {
        int rows = programs.panelRows();
        long sideBytes = 4L * shape.paddedEntries() * rows;
        long scales = programs.panelBytes();
        long zeros = scales + sideBytes;
        long results = zeros + sideBytes;
        MemorySegment memory = Scratch.panel(results / 4 + (long) count * rows);
        long address = memory.address();
        programs.sides(packed.address(row), address + scales, address + zeros);
        programs.startTiles(x, count, address + results, address + zeros);
        for (int b = 0; b < shape.blocks(); b++) {
            programs.panel(packed.address(row), b, address);
            long blockScales = address + scales + 4L * b * shape.entriesPerBlock() * rows;
            programs.addTiles(address, x, b, count, address + results, blockScales);
        }
        copyResults(memory, results, rows, y, first, count, row, Math.min(row + rows, to));
    }
}
