package io.any4.tinygemm;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// What all weights with codes, group scales and zeros have in common.
///
/// A row's zeros stand where arranged tokens have their group sums, so that the zeros' share of a product is the first
/// stretch of the same dot product.
abstract class GroupedMatrix extends VectorMatrix {
    final Arrangement arrangement;
    final PackedRows codes;
    final Sides sides;

    GroupedMatrix(
            Weight weight, Tensor codes, Tensor scale, @Nullable Tensor zero, Arrangement arrangement, int blockBytes) {
        super(weight);
        this.arrangement = arrangement;
        this.codes = new PackedRows(codes, blockBytes);
        this.sides = new Sides(scale, zero, arrangement.groups);
    }

    @Override
    public final int arrangedLength() {
        return arrangement.length();
    }

    @Override
    public final void arrange(float[] x, int offset, MemorySegment arranged, long target) {
        arrangement.arrange(x, offset, arranged, target);
    }

    @Override
    final int decodeSpace() {
        return arrangement.scaleSpace();
    }

    @Override
    final void decode(int row, MemorySegment panel, long at, float[] scratch) {
        if (sides.hasZeros()) {
            sides.widenZeros(row, scratch, 0);
            MemorySegment.copy(scratch, 0, panel, ValueLayout.JAVA_FLOAT, 4 * at, arrangement.columnsAt());
        }
        sides.widenScales(row, scratch, 0);
        arrangement.spreadOverLanes(scratch, 0);
        long columns = 4 * (at + arrangement.columnsAt());
        decodeCodes(row, false, panel, columns, scratch);
        if (codes.hasEnds()) {
            decodeCodes(row, true, panel, columns, scratch);
        }
    }

    /// Writes a row's scaled codes, those of whole blocks or that of the block at the end, to the panel, in which the
    /// row's columns start at byte `at`; `scales` has a vector for each block.
    abstract void decodeCodes(int row, boolean end, MemorySegment panel, long at, float[] scales);
}
