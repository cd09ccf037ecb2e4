package io.any4.tinygemm;

import io.any4.machine.ByteShape;
import io.any4.machine.Pages;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/// The rows of a table weight, copied once into the form that [ByteShape] describes.
///
/// A table is rounded to bytes: its lowest entry becomes 0 and its highest one the largest byte, unless a power
/// of two as the unit makes all entries whole numbers, as those of int4 and fp4 are.
final class ByteRows {
    private static final int PIECES_AT_ONCE = 1;

    final ByteShape shape;
    private final LutWeight weight;
    private final MemorySegment memory;
    private final long address;
    private final float[] tables;

    /// @param codes the weight's codes, in `shape.bits()` bits each
    ByteRows(LutWeight weight, Tensor codes, ByteShape shape, Team team) {
        this.weight = weight;
        this.shape = shape;
        int pieces = Math.ceilDiv(weight.rows(), ByteShape.ROWS);
        memory = Pages.allocate((long) shape.bytes() * pieces);
        address = memory.address();
        tables = LutTables.repeated(weight, ByteShape.TABLE_ENTRIES);
        team.run(pieces, PIECES_AT_ONCE, (from, to) -> {
            float[] groups = new float[weight.groups()];
            for (int row = from * ByteShape.ROWS; row < Math.min(weight.rows(), to * ByteShape.ROWS); row++) {
                putTable(row);
                weight.scale().copyRow(row, groups, 0);
                putSides(row, groups, 0);
                if (weight.zero() != null) {
                    weight.zero().copyRow(row, groups, 0);
                    putSides(row, groups, shape.zerosAt());
                }
                putCodes(row, codes);
            }
        });
    }

    /// How the rows of a weight are laid out; its groups have to fit.
    ///
    /// @param bits of a code
    static ByteShape shape(LutWeight weight, int bits) {
        boolean halfSides = fitsHalf(weight.scale()) && (weight.zero() == null || fitsHalf(weight.zero()));
        return new ByteShape(bits, weight.columns(), weight.groupSize(), halfSides);
    }

    private static boolean fitsHalf(Tensor sides) {
        return sides.dtype() == DType.F16 || sides.dtype() == DType.I8;
    }

    /// The address of sixteen rows, of which `row` is the first.
    long address(int row) {
        return address + start(row);
    }

    private long start(int row) {
        return (long) (row / ByteShape.ROWS) * shape.bytes();
    }

    /// Where a row is in the first of four lines.
    private static int inLines(int row) {
        int index = row % ByteShape.ROWS;
        return index % ByteShape.LINES * ByteShape.LINE + index / ByteShape.LINES * ByteShape.STEP;
    }

    private void putTable(int row) {
        int from = weight.lut().rows() == 1 ? 0 : row * ByteShape.TABLE_ENTRIES;
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < ByteShape.TABLE_ENTRIES; i++) {
            low = Math.min(low, tables[from + i]);
            high = Math.max(high, tables[from + i]);
        }
        float unit = unit(from, low, high);
        for (int i = 0; i < ByteShape.TABLE_ENTRIES; i++) {
            byte entry = (byte) (unit == 0 ? 0 : Math.round((tables[from + i] - low) / unit));
            memory.set(ValueLayout.JAVA_BYTE, start(row) + inLines(row) + i, entry);
        }
        long at = start(row) + 4L * (row % ByteShape.ROWS);
        memory.set(Tensor.FLOAT, at + ByteShape.UNITS_AT, unit);
        memory.set(Tensor.FLOAT, at + ByteShape.BASES_AT, low);
    }

    /// What 1 is worth in a table from `low` to `high`.
    private float unit(int from, float low, float high) {
        float smallest = (high - low) / ByteShape.TABLE_LIMIT;
        float power = Math.scalb(1f, Math.getExponent(smallest) + 1);
        for (int i = 0; i < ByteShape.TABLE_ENTRIES; i++) {
            float entry = (tables[from + i] - low) / power;
            if (entry != Math.rint(entry)) {
                return smallest;
            }
        }
        return power;
    }

    private void putSides(int row, float[] groups, int displacement) {
        int index = row % ByteShape.ROWS;
        for (int e = 0; e < shape.entries(); e++) {
            float side = groups[shape.groupOf(e)];
            long at = entry(row, e) + displacement + (long) index * shape.sideBytes();
            if (shape.halfSides()) {
                memory.set(Tensor.SHORT, at, Float.floatToFloat16(side));
            } else {
                memory.set(Tensor.FLOAT, at, side);
            }
        }
    }

    private long entry(int row, int entry) {
        return start(row) + ByteShape.ENTRIES_AT + (long) entry * shape.entryBytes();
    }

    private void putCodes(int row, Tensor codes) {
        int bits = shape.bits();
        long mask = bits == 4 ? 0x0f0f0f0f0f0f0f0fL : 0x0303030303030303L;
        long source = codes.columns() * row;
        int lineColumns = shape.lineColumns();
        for (int column = 0; column < shape.columns(); column += 8) {
            int inEntry = column % shape.entryColumns();
            int shift = inEntry % lineColumns / ByteShape.STEP * bits;
            long at = entry(row, column / shape.entryColumns())
                    + shape.codesAt()
                    + (long) (inEntry / lineColumns) * ByteShape.LINES * ByteShape.LINE
                    + inLines(row)
                    + column % ByteShape.STEP;
            long packed = 0;
            int from = column * bits / 8;
            int bytes = Math.min(bits, (int) codes.columns() - from);
            for (int i = 0; i < bytes; i++) {
                packed |= (codes.data().get(ValueLayout.JAVA_BYTE, source + from + i) & 0xffL) << (8 * i);
            }
            long spread = Long.expand(packed, mask << shift);
            memory.set(ValueLayout.JAVA_LONG_UNALIGNED, at, memory.get(ValueLayout.JAVA_LONG_UNALIGNED, at) | spread);
        }
    }
}
