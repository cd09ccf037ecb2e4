package io.any4.cuda;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/// Stores scales and zeros as f16 pairs. Those of other types are divided by a power of two per row, which the
/// kernels multiply a row's result by: f16 then keeps more digits of them than activations have.
final class ScalePacker {
    private final int rows;
    private final int sourceGroup;
    private final int group;
    private final int groups;
    private @Nullable MemorySegment scales;
    private @Nullable MemorySegment factors;

    /// @param sourceGroup columns per scale of the source
    /// @param group columns per scale of the result
    /// @param groups groups per row of the result
    ScalePacker(int rows, int sourceGroup, int group, int groups) {
        this.rows = rows;
        this.sourceGroup = sourceGroup;
        this.group = group;
        this.groups = groups;
    }

    @Nullable
    MemorySegment scales() {
        return scales;
    }

    @Nullable
    MemorySegment factors() {
        return factors;
    }

    void pack(Arena arena, Tensor scale, @Nullable Tensor zero) {
        int tiles = Math.ceilDiv(rows, Format.TILE_ROWS);
        MemorySegment out = arena.allocate((long) tiles * groups * 64, 256);
        boolean exact = scale.dtype() == DType.F16 && (zero == null || zero.dtype() == DType.F16);
        MemorySegment divided = exact ? null : arena.allocate(rows * 4L, 256);
        for (int row = 0; row < rows; row++) {
            float factor = 1;
            if (divided != null) {
                factor = factor(scale, zero, row);
                divided.set(Tensor.FLOAT, row * 4L, factor);
            }
            packRow(row, scale, zero, factor, out);
        }
        scales = out;
        factors = divided;
    }

    private void packRow(int row, Tensor scale, @Nullable Tensor zero, float factor, MemorySegment out) {
        long last = scale.columns() - 1;
        long tile = row / Format.TILE_ROWS;
        int inTile = row % Format.TILE_ROWS;
        for (int i = 0; i < groups; i++) {
            long source = row * (last + 1) + Math.min((long) i * group / sourceGroup, last);
            long at = ((tile * groups + i) * 8 + inTile % 8) * 8 + inTile / 8 * 4;
            out.set(Tensor.SHORT, at, Float.floatToFloat16(scale.getFloat(source) / factor));
            out.set(Tensor.SHORT, at + 2, Float.floatToFloat16(zero == null ? 0 : zero.getFloat(source) / factor));
        }
    }

    /// The power of two next to the row's largest magnitude.
    private static float factor(Tensor scale, @Nullable Tensor zero, int row) {
        float largest = 0;
        for (long i = row * scale.columns(); i < (row + 1) * scale.columns(); i++) {
            largest = Math.max(largest, Math.abs(scale.getFloat(i)));
            largest = zero == null ? largest : Math.max(largest, Math.abs(zero.getFloat(i)));
        }
        boolean usual = largest >= Float.MIN_NORMAL && largest <= Float.MAX_VALUE;
        return usual ? Math.scalb(1f, Math.getExponent(largest)) : 1;
    }
}
