package io.any4.tinygemm;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.Pages;
import io.any4.machine.RowShape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The rows of a table weight, copied once into the form that [RowShape] describes.
///
/// A table is rounded to integers: its middle becomes 0 and its ends the largest ones, unless a power of two
/// as the unit makes all entries whole numbers, as those of int4 and fp4 are. Learned tables are stored as
/// F16, whose steps near the ends of a table are as wide as these.
final class IntegerRows {
    private static final int ROWS_AT_ONCE = 16;

    final RowShape shape;
    private final IntegerPrograms programs;
    private final MemorySegment memory;
    private final long address;

    /// @param codes the weight's codes, in `shape.bits()` bits each
    IntegerRows(LutWeight weight, Tensor codes, RowShape shape, IntegerPrograms programs, Team team) {
        this.shape = shape;
        this.programs = programs;
        int rows = weight.rows();
        // programs take whole panels, whatever comes after the last row
        long followed = (long) rows + programs.panelRows();
        memory = Pages.allocate(shape.rowBytes() * followed);
        address = memory.address();
        float[] tables = LutTables.repeated(weight, RowShape.TABLE_ENTRIES);
        boolean shared = weight.lut().rows() == 1;
        team.run(rows, ROWS_AT_ONCE, (from, to) -> {
            float[] groups = new float[weight.groups()];
            for (int row = from; row < to; row++) {
                long at = (long) shape.rowBytes() * row;
                putTable(tables, shared ? 0 : row * RowShape.TABLE_ENTRIES, at);
                weight.scale().copyRow(row, groups, 0);
                putSides(groups, at + RowShape.SCALES_AT);
                if (weight.zero() != null) {
                    weight.zero().copyRow(row, groups, 0);
                    putSides(groups, at + shape.zerosAt());
                }
                MemorySegment.copy(codes.data(), codes.columns() * row, memory, at + shape.codesAt(), codes.columns());
            }
        });
    }

    /// How the rows of a weight are laid out; its groups have to fit.
    ///
    /// @param bits of a code
    static RowShape shape(LutWeight weight, int bits) {
        boolean halfSides = Rounding.fitHalf(weight.scale(), weight.zero());
        return new RowShape(bits, weight.columns(), weight.groupSize(), halfSides);
    }

    private void putTable(float[] tables, int from, long at) {
        float low = Rounding.lowest(tables, from, RowShape.TABLE_ENTRIES);
        float high = Rounding.highest(tables, from, RowShape.TABLE_ENTRIES);
        float middle = low / 2 + high / 2;
        float smallest = Math.max(high - middle, middle - low) / shape.tableLimit();
        float unit = Rounding.unit(tables, from, RowShape.TABLE_ENTRIES, middle, smallest);
        short[] entries = new short[RowShape.TABLE_ENTRIES];
        for (int i = 0; i < entries.length; i++) {
            entries[i] = (short) (unit == 0 ? 0 : Math.rint((tables[from + i] - middle) / unit));
        }
        byte[] table = new byte[2 * RowShape.TABLE_ENTRIES];
        programs.writeTable(entries, table);
        MemorySegment.copy(table, 0, memory, ValueLayout.JAVA_BYTE, at, table.length);
        memory.set(Tensor.FLOAT, at + RowShape.UNIT_AT, unit);
        memory.set(Tensor.FLOAT, at + RowShape.MIDDLE_AT, middle);
    }

    private void putSides(float[] groups, long at) {
        for (int e = 0; e < shape.entries(); e++) {
            float side = groups[shape.groupOf(e)];
            if (shape.halfSides()) {
                memory.set(Tensor.SHORT, at + 2L * e, Float.floatToFloat16(side));
            } else {
                memory.set(Tensor.FLOAT, at + 4L * e, side);
            }
        }
    }

    /// The address of a row.
    long address(int row) {
        return address + (long) shape.rowBytes() * row;
    }
}
