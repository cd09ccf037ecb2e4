package io.any4.cuda;

import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.stream.IntStream;

/// Puts the codes of a matrix in the order in which the lanes of a warp read them: see formats.cuh.
final class TilePacker {
    /// Gives a row's codes, or the bits of its numbers.
    interface Rows {
        void read(int row, short[] out);
    }

    private static final int LANES = 32;
    private static final int QUADS = 4;

    private final Format format;
    private final int rows;
    private final int columns;
    private final int blocks;

    /// @param columns of the source
    /// @param padded columns of the result, a multiple of 64
    TilePacker(Format format, int rows, int columns, int padded) {
        this.format = format;
        this.rows = rows;
        this.columns = columns;
        this.blocks = padded / Format.TILE_COLUMNS;
    }

    /// Packs all tiles, in parallel over the row tiles.
    MemorySegment pack(Arena arena, Rows source) {
        int tiles = Math.ceilDiv(rows, Format.TILE_ROWS);
        MemorySegment out = arena.allocate((long) tiles * blocks * format.tileBytes(), 256);
        IntStream.range(0, tiles).parallel().forEach(tile -> packTile(tile, source, out));
        return out;
    }

    private void packTile(int tile, Rows source, MemorySegment out) {
        short[][] codes = new short[Format.TILE_ROWS][Math.max(columns, blocks * Format.TILE_COLUMNS)];
        for (int r = 0; r < Format.TILE_ROWS && tile * Format.TILE_ROWS + r < rows; r++) {
            source.read(tile * Format.TILE_ROWS + r, codes[r]);
        }
        for (int block = 0; block < blocks; block++) {
            long base = ((long) tile * blocks + block) * format.tileBytes();
            for (int lane = 0; lane < LANES; lane++) {
                for (int quad = 0; quad < QUADS; quad++) {
                    int column = block * Format.TILE_COLUMNS + 32 * (quad / 2) + 8 * (lane % 4) + 4 * (quad % 2);
                    packQuad(codes[lane / 4], codes[lane / 4 + 8], column, base, lane, quad, out);
                }
            }
        }
    }

    private void packQuad(short[] top, short[] bottom, int column, long base, int lane, int quad, MemorySegment out) {
        switch (format) {
            case LUT4 -> {
                int word = 0;
                for (int i = 0; i < 4; i++) {
                    word |= top[column + i] << 4 * i | bottom[column + i] << 16 + 4 * i;
                }
                out.set(Tensor.INT, base + (lane * 4L + quad) * 4, word);
            }
            case INT4 -> {
                int word = 0;
                for (int i = 0; i < 4; i++) {
                    word |= top[column + i] << 8 * i | bottom[column + i] << 8 * i + 4;
                }
                out.set(Tensor.INT, base + (lane * 4L + quad) * 4, word);
            }
            case INT8 -> {
                long at = base + ((quad / 2 * LANES + lane) * 4L + quad % 2 * 2) * 4;
                out.set(Tensor.INT, at, bytes(top, column));
                out.set(Tensor.INT, at + 4, bytes(bottom, column));
            }
            case DENSE -> {
                long at = base + (quad * LANES + lane) * 16L;
                out.set(Tensor.INT, at, pair(top, column));
                out.set(Tensor.INT, at + 4, pair(bottom, column));
                out.set(Tensor.INT, at + 8, pair(top, column + 2));
                out.set(Tensor.INT, at + 12, pair(bottom, column + 2));
            }
        }
    }

    private static int bytes(short[] codes, int column) {
        return codes[column] & 0xff
                | (codes[column + 1] & 0xff) << 8
                | (codes[column + 2] & 0xff) << 16
                | (codes[column + 3] & 0xff) << 24;
    }

    private static int pair(short[] bits, int column) {
        return bits[column] & 0xffff | bits[column + 1] << 16;
    }
}
