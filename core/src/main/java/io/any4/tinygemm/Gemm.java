package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/// Products of decoded rows with several tokens.
///
/// A block of rows is decoded to floats and multiplied with a block of tokens, in register [Tiles] of four rows and
/// up to four tokens. That goes a chunk of columns after the other, so that the chunk of the rows stays in the
/// first-level cache while tokens pass by; the sums meanwhile stay in the second.
///
/// Every pair of a row and a token has one vector of sums, to which products are added from first to last, and whose
/// lanes are summed at the end. That order is the same in all tiles and in the fused kernels, so a result does not
/// depend on how many tokens are computed together. One object serves one thread for all its products.
final class Gemm {
    /// Rows of a tile.
    static final int ROWS = 4;

    /// Rows decoded together.
    private static final int BLOCK_ROWS = 16;

    /// Tokens that are multiplied with the same decoded rows.
    private static final int BLOCK_TOKENS = 64;

    /// Bytes of a row or token in a chunk: 16 rows take two thirds of a first-level cache of 48 KB.
    private static final long CHUNK_BYTES = 2048;

    private static final ThreadLocal<Gemm> OWN = ThreadLocal.withInitial(Gemm::new);

    /// Bytes of a token, and of a row that is multiplied with it.
    private long rowBytes;
    /// Bytes from one decoded row to the next.
    private long rowStep;
    /// The address of the decoded rows.
    private long panel;
    /// The address of the sums: for four rows and one token after the other a vector for each row.
    private long sums;

    private long sumBytes;

    private Gemm() {}

    private void begin(VectorMatrix matrix, long panel, int tokens) {
        this.panel = panel;
        rowBytes = 4L * matrix.arrangedLength();
        rowStep = rowStep(rowBytes);
        int floats = BLOCK_ROWS * Math.min(tokens, BLOCK_TOKENS) * LANES;
        sums = Scratch.sums(floats);
        sumBytes = 4L * floats;
    }

    /// `y[t * rows + r]` for all tokens, the first of which is at address `x`, and the rows `from <= r < to` of a
    /// matrix.
    static void multiply(VectorMatrix matrix, long x, int tokens, float[] y, int from, int to) {
        MemorySegment memory = Scratch.panel(BLOCK_ROWS * rowStep(4L * matrix.arrangedLength()) / 4);
        Gemm gemm = OWN.get();
        gemm.begin(matrix, memory.address(), tokens);
        for (int first = 0; first < tokens; first += BLOCK_TOKENS) {
            int count = Math.min(BLOCK_TOKENS, tokens - first);
            for (int row = from; row < to; row += BLOCK_ROWS) {
                long token = x + first * gemm.rowBytes;
                gemm.block(matrix, token, count, y, first * matrix.rows, row, Math.min(to, row + BLOCK_ROWS));
            }
        }
        Reference.reachabilityFence(memory);
    }

    /// A chunk more than a multiple of 4096 bytes: chunks of rows then fill the sets of the first-level cache evenly.
    private static long rowStep(long bytes) {
        return Math.ceilDiv(bytes - CHUNK_BYTES, 4096) * 4096 + CHUNK_BYTES;
    }

    /// `y[out + t * rows + r]` for a block of tokens and rows.
    private void block(VectorMatrix matrix, long x, int tokens, float[] y, int out, int from, int to) {
        int fours = Math.ceilDiv(to - from, ROWS);
        float[] scratch = Scratch.floats(matrix.decodeSpace());
        for (int i = 0; i < fours * ROWS; i++) {
            // rows past the end are computed as copies of the last one
            matrix.decode(Math.min(from + i, to - 1), panel + i * rowStep, scratch);
        }
        for (long i = 0; i < sumBytes; i += VECTOR_BYTES) {
            FloatVector.zero(FLOATS).intoMemorySegment(ALL, (sums + i) & ADDRESS, ORDER);
        }
        for (long at = 0; at < rowBytes; at += CHUNK_BYTES) {
            addChunk(x + at, tokens, panel + at, fours, Math.min(CHUNK_BYTES, rowBytes - at));
        }
        for (int i = 0; i < fours; i++) {
            for (int t = 0; t < tokens; t++) {
                putSums(sums(i, t, tokens), y, out + t * matrix.rows, from + i * ROWS, 1, to - 1);
            }
        }
    }

    private long sums(int four, int token, int tokens) {
        return sums + ((long) four * tokens + token) * ROWS * VECTOR_BYTES;
    }

    /// Adds a chunk of columns to all sums.
    private void addChunk(long x, int tokens, long rows, int fours, long bytes) {
        int t = 0;
        while (t < tokens) {
            int count = LANES < 16 ? Math.min(2, tokens - t) : tokens - t >= 4 ? 4 : Math.min(2, tokens - t);
            for (int i = 0; i < fours; i++) {
                long w = rows + i * ROWS * rowStep;
                long s = sums(i, t, tokens);
                switch (count) {
                    case 1 -> Tiles.one(w, rowStep, x + t * rowBytes, bytes, s);
                    case 2 -> Tiles.two(w, rowStep, x + t * rowBytes, rowBytes, bytes, s);
                    default -> four(w, x + t * rowBytes, bytes, s);
                }
            }
            t += count;
        }
    }

    /// [Tiles#four] takes two vectors at a time: one that is left over goes with two tokens at a time.
    private void four(long w, long x, long bytes, long s) {
        long even = bytes / (2 * VECTOR_BYTES) * 2 * VECTOR_BYTES;
        Tiles.four(w, rowStep, x, rowBytes, even, s);
        if (even < bytes) {
            Tiles.two(w + even, rowStep, x + even, rowBytes, bytes - even, s);
            Tiles.two(w + even, rowStep, x + even + 2 * rowBytes, rowBytes, bytes - even, s + 2 * ROWS * VECTOR_BYTES);
        }
    }

    /// Stores the sums of the lanes of four vectors at address `sums` as the results of the rows
    /// `min(r + i * stride, last)`.
    static void putSums(long sums, float[] y, int out, int r, int stride, int last) {
        FloatVector four = Simd.sums(
                FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER),
                FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER),
                FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER),
                FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER));
        y[out + r] = four.lane(0);
        y[out + Math.min(r + stride, last)] = four.lane(LANES / 2);
        y[out + Math.min(r + 2 * stride, last)] = four.lane(LANES / 4);
        y[out + Math.min(r + 3 * stride, last)] = four.lane(3 * LANES / 4);
    }
}
