package io.any4.tinygemm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.any4.machine.ByteShape;
import io.any4.machine.Pages;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;

/// The rows of a table weight, copied once into the form that [ByteShape] describes.
///
/// A table is rounded to bytes: its lowest entry becomes 0 and its highest one the largest byte, unless a power
/// of two as the unit makes all entries whole numbers, as those of int4 and fp4 are.
final class ByteRows {
    /// The lowest bit of each byte.
    private static final long LOWEST_BITS = 0x0101010101010101L;

    final ByteShape shape;
    private final MemorySegment memory;
    private final long address;

    /// @param codes the weight's codes, in `shape.bits()` bits each
    ByteRows(LutWeight weight, Tensor codes, ByteShape shape, Team team) {
        this.shape = shape;
        int pieces = Math.ceilDiv(weight.rows(), ByteShape.ROWS);
        memory = Pages.allocate((long) shape.bytes() * pieces);
        address = memory.address();
        float[] tables = LutTables.repeated(weight, ByteShape.TABLE_ENTRIES);
        boolean shared = weight.lut().rows() == 1;
        team.run(pieces, 1, (from, to) -> {
            float[] groups = new float[weight.groups()];
            for (int row = from * ByteShape.ROWS; row < Math.min(weight.rows(), to * ByteShape.ROWS); row++) {
                putTable(row, tables, shared ? 0 : row * ByteShape.TABLE_ENTRIES);
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

    private void putTable(int row, float[] tables, int from) {
        float low = Float.POSITIVE_INFINITY;
        float high = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < ByteShape.TABLE_ENTRIES; i++) {
            low = Math.min(low, tables[from + i]);
            high = Math.max(high, tables[from + i]);
        }
        float smallest = (high - low) / ByteShape.TABLE_LIMIT;
        float unit = Rounding.unit(tables, from, ByteShape.TABLE_ENTRIES, low, smallest);
        for (int i = 0; i < ByteShape.TABLE_ENTRIES; i++) {
            byte entry = (byte) (unit == 0 ? 0 : Math.round((tables[from + i] - low) / unit));
            memory.set(JAVA_BYTE, start(row) + inLines(row) + i, entry);
        }
        long at = start(row) + 4L * (row % ByteShape.ROWS);
        memory.set(Tensor.FLOAT, at + ByteShape.UNITS_AT, unit);
        memory.set(Tensor.FLOAT, at + ByteShape.BASES_AT, low);
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

    /// Codes of eight columns at a time: in the weight they follow each other, here each has a byte, which it
    /// shares with codes of other columns.
    private void putCodes(int row, Tensor codes) {
        long source = codes.columns() * row;
        for (int column = 0; column < shape.columns(); column += 8) {
            int inEntry = column % shape.entryColumns();
            int line = inEntry / shape.lineColumns() * ByteShape.LINES;
            long lines = entry(row, column / shape.entryColumns()) + shape.codesAt() + (long) line * ByteShape.LINE;
            long at = lines + inLines(row) + column % ByteShape.STEP;
            int shift = inEntry % shape.lineColumns() / ByteShape.STEP * shape.bits();
            int from = column / 8 * shape.bits();
            int bytes = Math.min(shape.bits(), (int) codes.columns() - from);
            long spread = Long.expand(packed(codes, source + from, bytes), LOWEST_BITS * mask() << shift);
            memory.set(JAVA_LONG_UNALIGNED, at, memory.get(JAVA_LONG_UNALIGNED, at) | spread);
        }
    }

    private long mask() {
        return (1 << shape.bits()) - 1;
    }

    private static long packed(Tensor codes, long from, int bytes) {
        if (bytes == Integer.BYTES) {
            return codes.data().get(JAVA_INT_UNALIGNED, from) & 0xffffffffL;
        }
        long packed = 0;
        for (int i = 0; i < bytes; i++) {
            packed |= (codes.data().get(JAVA_BYTE, from + i) & 0xffL) << 8 * i;
        }
        return packed;
    }
}
