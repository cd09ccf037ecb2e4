package io.any4.tinygemm;

import static io.any4.tinygemm.Lut4Matrix.BITS;
import static io.any4.tinygemm.Lut4Matrix.BLOCK_VECTOR_BYTES;
import static io.any4.tinygemm.LutMatrix.BLOCK_BYTES;
import static io.any4.tinygemm.Simd.FLOATS;
import static io.any4.tinygemm.Simd.INTS;
import static io.any4.tinygemm.Simd.LANES;
import static io.any4.tinygemm.Simd.ORDER;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
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
    private static final int TILE = 4;
    private static final int TILE_SUMS = TILE * TILE * LANES;

    /// Not final, so that the compiler does not know the step of the inner loop: it would unroll it into more vectors
    /// than there are registers.
    private static long vectorBytes = 4L * LANES;

    private final Lut4Matrix matrix;
    private final MemorySegment x;
    private final int tokens;
    /// Floats of a row's scales in scratch memory, and of its zeros.
    private final int scaleSpace;
    private final int zeroSpace;
    private final int zerosAt;
    private final int sumsAt;
    private final int tokenTiles;
    private final float[] scratch;

    private Lut4Tiles(Lut4Matrix matrix, MemorySegment x, int tokens) {
        this.matrix = matrix;
        this.x = x;
        this.tokens = tokens;
        Arrangement arrangement = matrix.arrangement;
        scaleSpace = Simd.pad(Math.max(arrangement.groups, arrangement.blocks));
        zeroSpace = arrangement.columnsAt();
        zerosAt = ROWS * scaleSpace;
        sumsAt = zerosAt + ROWS * zeroSpace;
        tokenTiles = Math.ceilDiv(tokens, TILE);
        scratch = Scratch.floats(sumsAt + ROWS / TILE * tokenTiles * TILE_SUMS);
    }

    /// `y[t * rows + r]` for all arranged tokens and the rows `from <= r < to`.
    static void multiply(Lut4Matrix matrix, MemorySegment x, int tokens, float[] y, int from, int to) {
        Lut4Tiles tiles = new Lut4Tiles(matrix, x, tokens);
        for (int row = from; row < to; row += ROWS) {
            tiles.rows(y, row, Math.min(to, row + ROWS));
        }
    }

    private void rows(float[] y, int from, int to) {
        begin(from, to);
        int full = matrix.codes.full;
        for (int block = 0; block < full; block += CHUNK) {
            addBlocks(from, to, false, block, Math.min(full, block + CHUNK));
        }
        if (matrix.codes.hasEnds()) {
            addBlocks(from, to, true, full, full + 1);
        }
        for (int row = from; row < to; row += TILE) {
            for (int t = 0; t < tokens; t++) {
                int at = sums(row - from, t / TILE) + t % TILE * TILE * LANES;
                Gemm.putSums(scratch, at, y, t * matrix.rows, row, 1, to - 1);
            }
        }
    }

    /// Where the sums of a tile stand: for each token one vector for each row.
    private int sums(int row, int tokenTile) {
        return sumsAt + (row / TILE * tokenTiles + tokenTile) * TILE_SUMS;
    }

    /// Widens the scales and zeros of the rows, and starts the sums with the zeros' share.
    private void begin(int from, int to) {
        Arrays.fill(scratch, sumsAt, sums(ROWS, 0), 0f);
        Sides sides = matrix.sides;
        int rows = Math.ceilDiv(to - from, TILE) * TILE;
        for (int i = 0; i < rows; i++) {
            // rows past the end are computed as copies of the last one
            int row = Math.min(from + i, to - 1);
            sides.widenScales(row, scratch, i * scaleSpace);
            matrix.arrangement.spreadOverBlocks(scratch, i * scaleSpace);
            if (sides.hasZeros()) {
                sides.widenZeros(row, scratch, zerosAt + i * zeroSpace);
            }
        }
        if (sides.hasZeros()) {
            for (int row = 0; row < rows; row += TILE) {
                for (int tile = 0; tile < tokenTiles; tile++) {
                    addZeros(row, tile);
                }
            }
        }
    }

    private void addZeros(int row, int tile) {
        int at = sums(row, tile);
        for (int i = 0; i < TILE; i++) {
            MemorySegment groups = x.asSlice(token(tile, i), 4L * zeroSpace);
            for (int r = 0; r < TILE; r++) {
                int sum = at + (i * TILE + r) * LANES;
                FloatVector a = FloatVector.fromArray(FLOATS, scratch, sum);
                for (int g = 0; g < zeroSpace; g += LANES) {
                    FloatVector zeros = FloatVector.fromArray(FLOATS, scratch, zerosAt + (row + r) * zeroSpace + g);
                    a = zeros.fma(FloatVector.fromMemorySegment(FLOATS, groups, 4L * g, ORDER), a);
                }
                a.intoArray(scratch, sum);
            }
        }
    }

    /// The byte at which a token of a tile starts; tokens past the end are computed as copies of the last one.
    private long token(int tile, int index) {
        return 4L * matrix.arrangement.length() * Math.min(tile * TILE + index, tokens - 1);
    }

    private void addBlocks(int from, int to, boolean end, int first, int last) {
        for (int row = from; row < to; row += TILE) {
            for (int tile = 0; tile < tokenTiles; tile++) {
                addTile(row - from, row, to - 1, end, first, last, tile);
            }
        }
    }

    /// Adds some blocks of four rows to the sums of a tile.
    private void addTile(int index, int row, int lastRow, boolean end, int first, int last, int tile) {
        int r1 = Math.min(row + 1, lastRow);
        int r2 = Math.min(row + 2, lastRow);
        int r3 = Math.min(row + 3, lastRow);
        MemorySegment memory = matrix.codes.memory(end);
        long at = (long) (first - matrix.codes.first(end)) * BLOCK_BYTES;
        long w0 = matrix.codes.start(row, end) + at;
        long w1 = matrix.codes.start(r1, end) + at;
        long w2 = matrix.codes.start(r2, end) + at;
        long w3 = matrix.codes.start(r3, end) + at;
        long columns = 4L * zeroSpace + first * BLOCK_VECTOR_BYTES;
        long columnBytes = (last - first) * BLOCK_VECTOR_BYTES;
        MemorySegment x0 = x.asSlice(token(tile, 0) + columns, columnBytes);
        MemorySegment x1 = x.asSlice(token(tile, 1) + columns, columnBytes);
        MemorySegment x2 = x.asSlice(token(tile, 2) + columns, columnBytes);
        MemorySegment x3 = x.asSlice(token(tile, 3) + columns, columnBytes);
        int scale0 = index * scaleSpace + first;
        int scale1 = scale0 + scaleSpace;
        int scale2 = scale0 + 2 * scaleSpace;
        int scale3 = scale0 + 3 * scaleSpace;
        float[] s = scratch;
        int sums = sums(index, tile);
        FloatVector l0 = FloatVector.fromArray(FLOATS, matrix.tables, matrix.tableAt(row));
        FloatVector l1 = FloatVector.fromArray(FLOATS, matrix.tables, matrix.tableAt(r1));
        FloatVector l2 = FloatVector.fromArray(FLOATS, matrix.tables, matrix.tableAt(r2));
        FloatVector l3 = FloatVector.fromArray(FLOATS, matrix.tables, matrix.tableAt(r3));
        FloatVector a0 = FloatVector.fromArray(FLOATS, s, sums);
        FloatVector a1 = FloatVector.fromArray(FLOATS, s, sums + LANES);
        FloatVector a2 = FloatVector.fromArray(FLOATS, s, sums + 2 * LANES);
        FloatVector a3 = FloatVector.fromArray(FLOATS, s, sums + 3 * LANES);
        FloatVector b0 = FloatVector.fromArray(FLOATS, s, sums + 4 * LANES);
        FloatVector b1 = FloatVector.fromArray(FLOATS, s, sums + 5 * LANES);
        FloatVector b2 = FloatVector.fromArray(FLOATS, s, sums + 6 * LANES);
        FloatVector b3 = FloatVector.fromArray(FLOATS, s, sums + 7 * LANES);
        FloatVector c0 = FloatVector.fromArray(FLOATS, s, sums + 8 * LANES);
        FloatVector c1 = FloatVector.fromArray(FLOATS, s, sums + 9 * LANES);
        FloatVector c2 = FloatVector.fromArray(FLOATS, s, sums + 10 * LANES);
        FloatVector c3 = FloatVector.fromArray(FLOATS, s, sums + 11 * LANES);
        FloatVector d0 = FloatVector.fromArray(FLOATS, s, sums + 12 * LANES);
        FloatVector d1 = FloatVector.fromArray(FLOATS, s, sums + 13 * LANES);
        FloatVector d2 = FloatVector.fromArray(FLOATS, s, sums + 14 * LANES);
        FloatVector d3 = FloatVector.fromArray(FLOATS, s, sums + 15 * LANES);
        long step = vectorBytes;
        int blocks = last - first;
        for (int block = 0; block < blocks; block++) {
            IntVector k0 = IntVector.fromMemorySegment(INTS, memory, w0 + (long) block * BLOCK_BYTES, ORDER);
            IntVector k1 = IntVector.fromMemorySegment(INTS, memory, w1 + (long) block * BLOCK_BYTES, ORDER);
            IntVector k2 = IntVector.fromMemorySegment(INTS, memory, w2 + (long) block * BLOCK_BYTES, ORDER);
            IntVector k3 = IntVector.fromMemorySegment(INTS, memory, w3 + (long) block * BLOCK_BYTES, ORDER);
            IntVector t0 = l0.mul(s[scale0 + block]).reinterpretAsInts();
            IntVector t1 = l1.mul(s[scale1 + block]).reinterpretAsInts();
            IntVector t2 = l2.mul(s[scale2 + block]).reinterpretAsInts();
            IntVector t3 = l3.mul(s[scale3 + block]).reinterpretAsInts();
            MemorySegment u0 = x0.asSlice(block * BLOCK_VECTOR_BYTES, BLOCK_VECTOR_BYTES);
            MemorySegment u1 = x1.asSlice(block * BLOCK_VECTOR_BYTES, BLOCK_VECTOR_BYTES);
            MemorySegment u2 = x2.asSlice(block * BLOCK_VECTOR_BYTES, BLOCK_VECTOR_BYTES);
            MemorySegment u3 = x3.asSlice(block * BLOCK_VECTOR_BYTES, BLOCK_VECTOR_BYTES);
            for (long i = 0; i < BLOCK_VECTOR_BYTES; i += step) {
                FloatVector p = FloatVector.fromMemorySegment(FLOATS, u0, i, ORDER);
                FloatVector q = FloatVector.fromMemorySegment(FLOATS, u1, i, ORDER);
                FloatVector u = FloatVector.fromMemorySegment(FLOATS, u2, i, ORDER);
                FloatVector v = FloatVector.fromMemorySegment(FLOATS, u3, i, ORDER);
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
        }
        a0.intoArray(s, sums);
        a1.intoArray(s, sums + LANES);
        a2.intoArray(s, sums + 2 * LANES);
        a3.intoArray(s, sums + 3 * LANES);
        b0.intoArray(s, sums + 4 * LANES);
        b1.intoArray(s, sums + 5 * LANES);
        b2.intoArray(s, sums + 6 * LANES);
        b3.intoArray(s, sums + 7 * LANES);
        c0.intoArray(s, sums + 8 * LANES);
        c1.intoArray(s, sums + 9 * LANES);
        c2.intoArray(s, sums + 10 * LANES);
        c3.intoArray(s, sums + 11 * LANES);
        d0.intoArray(s, sums + 12 * LANES);
        d1.intoArray(s, sums + 13 * LANES);
        d2.intoArray(s, sums + 14 * LANES);
        d3.intoArray(s, sums + 15 * LANES);
    }
}
