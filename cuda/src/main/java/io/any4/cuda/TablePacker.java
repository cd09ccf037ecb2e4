package io.any4.cuda;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// Turns the tables of 16 numbers into what the kernels look up: 14-bit integers on a grid of each row, in two bytes of
/// 7 bits (Lut4 of formats.cuh).
///
/// A grid begins at the row's smallest number and ends at its largest, so that rounding is off by at most 2^-15 of the
/// range between them. Where a power of two as step meets every number exactly, as with fp4's, it is that.
final class TablePacker {
    private static final int ENTRIES = 16;
    private static final int LARGEST = (1 << 14) - 1;
    private static final int ROW_BYTES = 2 * ENTRIES;
    private static final int GRIDS = Format.TILE_ROWS * ROW_BYTES;

    /// Bytes of a row tile: for each of 16 rows 16 upper bytes and 16 lower ones, then for each row step and offset,
    /// two
    /// 32-bit floats.
    static final int TILE_BYTES = GRIDS + Format.TILE_ROWS * 8;

    private TablePacker() {}

    /// The tables of all row tiles, or of one where all rows share a table. Rows past the last have zeros.
    static MemorySegment pack(Arena arena, LutWeight weight) {
        boolean shared = weight.lut().rows() == 1;
        int rows = shared ? Format.TILE_ROWS : weight.rows();
        MemorySegment out = arena.allocate((long) Math.ceilDiv(rows, Format.TILE_ROWS) * TILE_BYTES, 256);
        float[] numbers = new float[weight.levels()];
        for (int row = 0; row < rows; row++) {
            for (int i = 0; i < numbers.length; i++) {
                numbers[i] = weight.lut().getFloat((shared ? 0 : (long) row * numbers.length) + i);
            }
            packRow(numbers, row, out);
        }
        return out;
    }

    private static void packRow(float[] numbers, int row, MemorySegment out) {
        float least = Float.POSITIVE_INFINITY;
        float most = Float.NEGATIVE_INFINITY;
        for (float number : numbers) {
            least = Math.min(least, number);
            most = Math.max(most, number);
        }
        float step = step(numbers, least, most);
        long tile = (long) row / Format.TILE_ROWS * TILE_BYTES;
        int inTile = row % Format.TILE_ROWS;
        for (int i = 0; i < numbers.length; i++) {
            int entry = (int) Math.min(LARGEST, Math.rint(((double) numbers[i] - least) / step));
            long at = tile + inTile * ROW_BYTES + i;
            out.set(ValueLayout.JAVA_BYTE, at, (byte) (entry >> 7));
            out.set(ValueLayout.JAVA_BYTE, at + ENTRIES, (byte) (entry & 127));
        }
        out.set(Tensor.FLOAT, tile + GRIDS + inTile * 8L, step);
        out.set(Tensor.FLOAT, tile + GRIDS + inTile * 8L + 4, least);
    }

    private static float step(float[] numbers, float least, float most) {
        double whole = ((double) most - least) / LARGEST;
        if (whole < Float.MIN_NORMAL) {
            return Float.MIN_NORMAL;
        }
        double power = Math.scalb(1.0, Math.getExponent(whole));
        power = power < whole ? 2 * power : power;
        for (float number : numbers) {
            double entry = ((double) number - least) / power;
            if (entry != Math.rint(entry)) {
                return (float) whole;
            }
        }
        return (float) power;
    }
}
