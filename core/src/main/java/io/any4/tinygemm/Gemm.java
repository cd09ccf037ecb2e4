package io.any4.tinygemm;

import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.LANES;

import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import jdk.incubator.vector.FloatVector;

/// Products of decoded rows with several tokens.
///
/// Four rows at a time are decoded to floats and then multiplied, in register [Tiles], with a block of tokens that
/// stays in the cache.
///
/// Every pair of a row and a token has one accumulator, to which vectors are added from first to last, and whose lanes
/// are summed at the end. That order is the same in all tiles and in the fused kernels, so a result does not depend on
/// how many tokens are computed together.
final class Gemm {
    /// Rows decoded together.
    static final int ROWS = 4;

    /// Floats of arranged tokens that stay in the second-level cache while rows pass by.
    private static final int CACHED_FLOATS = 1 << 18;

    private Gemm() {}

    /// `y[t * rows + r]` for all tokens and the rows `from <= r < to` of a matrix.
    static void multiply(VectorMatrix matrix, long x, int tokens, float[] y, int from, int to) {
        int length = matrix.arrangedLength();
        int block = Math.max(4, CACHED_FLOATS / length / 4 * 4);
        MemorySegment memory = Scratch.panel((long) ROWS * length);
        long panel = memory.address();
        float[] scratch = Scratch.floats(Math.max(matrix.decodeSpace(), Tiles.SUMS));
        for (int first = 0; first < tokens; first += block) {
            int last = Math.min(tokens, first + block);
            for (int row = from; row < to; row += ROWS) {
                // rows past the end are computed as copies of the last one
                for (int i = 0; i < ROWS; i++) {
                    matrix.decode(Math.min(row + i, to - 1), panel + 4L * i * length, scratch);
                }
                tokens(panel, x, length, first, last, scratch, y, row, to - 1, matrix.rows());
            }
        }
        Reference.reachabilityFence(memory);
    }

    private static void tokens(
            long panel,
            long x,
            int length,
            int first,
            int last,
            float[] sums,
            float[] y,
            int row,
            int lastRow,
            int stride) {
        int t = first;
        while (t < last) {
            int count = tile(panel, x, 4L * length, t, last - t, sums);
            for (int i = 0; i < count; i++) {
                putSums(sums, i * ROWS * LANES, y, (t + i) * stride, row, 1, lastRow);
            }
            t += count;
        }
    }

    /// Multiplies the rows with as many of the next `left` tokens as fit a tile; returns how many those were.
    private static int tile(long panel, long x, long bytes, int t, int left, float[] sums) {
        if (left == 1) {
            Tiles.one(panel, x + t * bytes, bytes, sums);
            return 1;
        }
        if (left < 4 || LANES < 16) {
            Tiles.two(panel, x + t * bytes, bytes, sums);
            return 2;
        }
        Tiles.four(panel, x + t * bytes, bytes, sums);
        return 4;
    }

    /// Stores the sums of the lanes of four vectors at `sums[at ..]` as the results of the rows
    /// `min(r + i * stride, last)`.
    static void putSums(float[] sums, int at, float[] y, int out, int r, int stride, int last) {
        FloatVector four = Simd.sums(
                FloatVector.fromArray(FLOATS, sums, at),
                FloatVector.fromArray(FLOATS, sums, at + LANES),
                FloatVector.fromArray(FLOATS, sums, at + 2 * LANES),
                FloatVector.fromArray(FLOATS, sums, at + 3 * LANES));
        y[out + r] = four.lane(0);
        y[out + Math.min(r + stride, last)] = four.lane(LANES / 2);
        y[out + Math.min(r + 2 * stride, last)] = four.lane(LANES / 4);
        y[out + Math.min(r + 3 * stride, last)] = four.lane(3 * LANES / 4);
    }
}
