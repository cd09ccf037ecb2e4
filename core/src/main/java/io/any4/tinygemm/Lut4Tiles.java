package io.any4.tinygemm;

import static io.any4.tinygemm.Lut4Matrix.BITS;
import static io.any4.tinygemm.Lut4Matrix.BLOCK_VECTOR_BYTES;
import static io.any4.tinygemm.LutMatrix.BLOCK_BYTES;
import static io.any4.tinygemm.NativeMemory.ADDRESS;
import static io.any4.tinygemm.NativeMemory.ALL;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;
import static io.any4.tinygemm.Simd.VECTOR_BYTES;

import io.any4.tensor.Tensor;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;

/// Products of a [Lut4Matrix], whose blocks have one scale each, with a few tokens: a vector of weights is looked up
/// once for four tokens and never leaves the registers.
///
/// Some rows at a time meet all tokens, a chunk of columns after the other, so that the chunk's part of the tokens
/// stays in the nearest cache. Between chunks the sums of a tile, four rows and four tokens, are kept in scratch
/// memory.
final class Lut4Tiles {
    /// For more tokens than these, rows are better decoded once to floats.
    static final int TOKENS = 16;

    private static final int ROWS = 32;
    private static final int CHUNK = 8;
    /// Tokens, and rows, of a tile: fewer tokens are computed as so many.
    static final int TILE = 4;
    private static final int TILE_SUMS = TILE * TILE * LANES;

    /// Not final, so that the compiler does not know the step of the inner loop: it would unroll it into more vectors
    /// than there are registers.
    private static long vectorBytes = VECTOR_BYTES;

    private final Lut4Matrix matrix;
    private final long x;
    private final int tokens;
    /// Bytes of a token, and of the group sums at its start.
    private final long tokenBytes;
    private final long sumBytes;
    private final int tokenTiles;
    /// The address of the sums, those of a tile together: for each token one vector for each row.
    private final long sums;

    private Lut4Tiles(Lut4Matrix matrix, long x, int tokens) {
        this.matrix = matrix;
        this.x = x;
        this.tokens = tokens;
        tokenBytes = 4L * matrix.arrangement.length();
        sumBytes = 4L * matrix.arrangement.columnsAt();
        tokenTiles = Math.ceilDiv(tokens, TILE);
        sums = Scratch.sums(ROWS / TILE * tokenTiles * TILE_SUMS);
    }

    /// `y[t * rows + r]` for all arranged tokens and the rows `from <= r < to`.
    static void multiply(Lut4Matrix matrix, long x, int tokens, float[] y, int from, int to) {
        Lut4Tiles tiles = new Lut4Tiles(matrix, x, tokens);
        for (int row = from; row < to; row += ROWS) {
            tiles.rows(y, row, Math.min(to, row + ROWS));
        }
    }

    private void rows(float[] y, int from, int to) {
        // rows past the end are computed as copies of the last one, and tokens too
        for (int row = from; row < to; row += TILE) {
            for (int t = 0; t < tokenTiles * TILE; t++) {
                matrix.packed.start(token(t), sums(row - from, t), row, 1, to - 1);
            }
        }
        int blocks = matrix.arrangement.blocks;
        for (int block = 0; block < blocks; block += CHUNK) {
            addBlocks(from, to, block, Math.min(blocks, block + CHUNK));
        }
        for (int row = from; row < to; row += TILE) {
            for (int t = 0; t < tokens; t++) {
                Gemm.putSums(sums(row - from, t), y, t * matrix.rows, row, 1, to - 1);
            }
        }
    }

    /// Where the sums of four rows with a token stand.
    private long sums(int row, int token) {
        return sums + (row / TILE * tokenTiles * TILE + token) * TILE * VECTOR_BYTES;
    }

    /// The address of a token; those past the end are computed as copies of the last one.
    private long token(int index) {
        return x + tokenBytes * Math.min(index, tokens - 1);
    }

    private void addBlocks(int from, int to, int first, int last) {
        for (int row = from; row < to; row += TILE) {
            for (int t = 0; t < tokens; t += TILE) {
                addTile(row, to - 1, first, last, t, sums(row - from, t));
            }
        }
    }

    /// Adds some blocks of four rows to the sums of a tile.
    private void addTile(int row, int lastRow, int first, int last, int token, long sums) {
        int r1 = Math.min(row + 1, lastRow);
        int r2 = Math.min(row + 2, lastRow);
        int r3 = Math.min(row + 3, lastRow);
        long w0 = matrix.packed.codes(row) + (long) first * BLOCK_BYTES;
        long w1 = matrix.packed.codes(r1) + (long) first * BLOCK_BYTES;
        long w2 = matrix.packed.codes(r2) + (long) first * BLOCK_BYTES;
        long w3 = matrix.packed.codes(r3) + (long) first * BLOCK_BYTES;
        long columns = sumBytes + first * BLOCK_VECTOR_BYTES;
        long x0 = token(token) + columns;
        long x1 = token(token + 1) + columns;
        long x2 = token(token + 2) + columns;
        long x3 = token(token + 3) + columns;
        long s0 = matrix.packed.scales(row) + 4L * first;
        long s1 = matrix.packed.scales(r1) + 4L * first;
        long s2 = matrix.packed.scales(r2) + 4L * first;
        long s3 = matrix.packed.scales(r3) + 4L * first;
        FloatVector l0 = FloatVector.fromMemorySegment(FLOATS, ALL, matrix.table(row) & ADDRESS, ORDER);
        FloatVector l1 = FloatVector.fromMemorySegment(FLOATS, ALL, matrix.table(r1) & ADDRESS, ORDER);
        FloatVector l2 = FloatVector.fromMemorySegment(FLOATS, ALL, matrix.table(r2) & ADDRESS, ORDER);
        FloatVector l3 = FloatVector.fromMemorySegment(FLOATS, ALL, matrix.table(r3) & ADDRESS, ORDER);
        FloatVector a0 = FloatVector.fromMemorySegment(FLOATS, ALL, sums & ADDRESS, ORDER);
        FloatVector a1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector a3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 4 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 5 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 6 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector b3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 7 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 8 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 9 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 10 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector c3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 11 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d0 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 12 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d1 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 13 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d2 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 14 * VECTOR_BYTES) & ADDRESS, ORDER);
        FloatVector d3 = FloatVector.fromMemorySegment(FLOATS, ALL, (sums + 15 * VECTOR_BYTES) & ADDRESS, ORDER);
        long step = vectorBytes;
        int blocks = last - first;
        for (int block = 0; block < blocks; block++) {
            IntVector k0 = IntVector.fromMemorySegment(INTS, ALL, w0 & ADDRESS, ORDER);
            IntVector k1 = IntVector.fromMemorySegment(INTS, ALL, w1 & ADDRESS, ORDER);
            IntVector k2 = IntVector.fromMemorySegment(INTS, ALL, w2 & ADDRESS, ORDER);
            IntVector k3 = IntVector.fromMemorySegment(INTS, ALL, w3 & ADDRESS, ORDER);
            IntVector t0 = l0.mul(ALL.get(Tensor.FLOAT, s0 & ADDRESS)).reinterpretAsInts();
            IntVector t1 = l1.mul(ALL.get(Tensor.FLOAT, s1 & ADDRESS)).reinterpretAsInts();
            IntVector t2 = l2.mul(ALL.get(Tensor.FLOAT, s2 & ADDRESS)).reinterpretAsInts();
            IntVector t3 = l3.mul(ALL.get(Tensor.FLOAT, s3 & ADDRESS)).reinterpretAsInts();
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector p = FloatVector.fromMemorySegment(FLOATS, ALL, (x0 + i) & ADDRESS, ORDER);
                FloatVector q = FloatVector.fromMemorySegment(FLOATS, ALL, (x1 + i) & ADDRESS, ORDER);
                FloatVector u = FloatVector.fromMemorySegment(FLOATS, ALL, (x2 + i) & ADDRESS, ORDER);
                FloatVector v = FloatVector.fromMemorySegment(FLOATS, ALL, (x3 + i) & ADDRESS, ORDER);
                FloatVector w = k0.selectFrom(t0).reinterpretAsFloats();
                a0 = w.fma(p, a0);
                b0 = w.fma(q, b0);
                c0 = w.fma(u, c0);
                d0 = w.fma(v, d0);
                w = k1.selectFrom(t1).reinterpretAsFloats();
                a1 = w.fma(p, a1);
                b1 = w.fma(q, b1);
                c1 = w.fma(u, c1);
                d1 = w.fma(v, d1);
                w = k2.selectFrom(t2).reinterpretAsFloats();
                a2 = w.fma(p, a2);
                b2 = w.fma(q, b2);
                c2 = w.fma(u, c2);
                d2 = w.fma(v, d2);
                w = k3.selectFrom(t3).reinterpretAsFloats();
                a3 = w.fma(p, a3);
                b3 = w.fma(q, b3);
                c3 = w.fma(u, c3);
                d3 = w.fma(v, d3);
                k0 = k0.lanewise(VectorOperators.LSHR, BITS);
                k1 = k1.lanewise(VectorOperators.LSHR, BITS);
                k2 = k2.lanewise(VectorOperators.LSHR, BITS);
                k3 = k3.lanewise(VectorOperators.LSHR, BITS);
            }
            w0 += BLOCK_BYTES;
            w1 += BLOCK_BYTES;
            w2 += BLOCK_BYTES;
            w3 += BLOCK_BYTES;
            s0 += 4;
            s1 += 4;
            s2 += 4;
            s3 += 4;
            x0 += BLOCK_VECTOR_BYTES;
            x1 += BLOCK_VECTOR_BYTES;
            x2 += BLOCK_VECTOR_BYTES;
            x3 += BLOCK_VECTOR_BYTES;
        }
        a0.intoMemorySegment(ALL, sums & ADDRESS, ORDER);
        a1.intoMemorySegment(ALL, (sums + VECTOR_BYTES) & ADDRESS, ORDER);
        a2.intoMemorySegment(ALL, (sums + 2 * VECTOR_BYTES) & ADDRESS, ORDER);
        a3.intoMemorySegment(ALL, (sums + 3 * VECTOR_BYTES) & ADDRESS, ORDER);
        b0.intoMemorySegment(ALL, (sums + 4 * VECTOR_BYTES) & ADDRESS, ORDER);
        b1.intoMemorySegment(ALL, (sums + 5 * VECTOR_BYTES) & ADDRESS, ORDER);
        b2.intoMemorySegment(ALL, (sums + 6 * VECTOR_BYTES) & ADDRESS, ORDER);
        b3.intoMemorySegment(ALL, (sums + 7 * VECTOR_BYTES) & ADDRESS, ORDER);
        c0.intoMemorySegment(ALL, (sums + 8 * VECTOR_BYTES) & ADDRESS, ORDER);
        c1.intoMemorySegment(ALL, (sums + 9 * VECTOR_BYTES) & ADDRESS, ORDER);
        c2.intoMemorySegment(ALL, (sums + 10 * VECTOR_BYTES) & ADDRESS, ORDER);
        c3.intoMemorySegment(ALL, (sums + 11 * VECTOR_BYTES) & ADDRESS, ORDER);
        d0.intoMemorySegment(ALL, (sums + 12 * VECTOR_BYTES) & ADDRESS, ORDER);
        d1.intoMemorySegment(ALL, (sums + 13 * VECTOR_BYTES) & ADDRESS, ORDER);
        d2.intoMemorySegment(ALL, (sums + 14 * VECTOR_BYTES) & ADDRESS, ORDER);
        d3.intoMemorySegment(ALL, (sums + 15 * VECTOR_BYTES) & ADDRESS, ORDER);
    }
}
