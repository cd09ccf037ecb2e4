package io.any4.tinygemm;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;

import io.any4.machine.ByteShape;
import io.any4.machine.Pages;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.util.function.IntConsumer;
import org.jspecify.annotations.Nullable;

/// The rows of a weight, copied once into the form that [ByteShape] describes.
///
/// A table is rounded to bytes: its lowest entry becomes 0 and its highest one the largest byte, unless a power
/// of two as the unit makes all entries whole numbers, as those of int4 and fp4 are.
final class ByteRows {
    /// The lowest bit of each byte.
    private static final long LOWEST_BITS = 0x0101010101010101L;

    /// Makes signed bytes unsigned ones that are 128 larger.
    private static final long SIGN_BITS = LOWEST_BITS << 7;

    private final ByteShape shape;
    private final MemorySegment memory;
    private final long address;

    private ByteRows(ByteShape shape, int rows) {
        this.shape = shape;
        memory = Pages.allocate((long) shape.bytes() * Math.ceilDiv(rows, ByteShape.ROWS));
        address = memory.address();
    }

    /// @param codes the weight's codes, in `bits` bits each
    static ByteRows of(LutWeight weight, Tensor codes, int bits, Team team) {
        boolean halfSides = Rounding.fitHalf(weight.scale(), weight.zero());
        ByteRows rows =
                new ByteRows(new ByteShape(bits, weight.columns(), weight.groupSize(), halfSides), weight.rows());
        float[] tables = LutTables.repeated(weight, ByteShape.TABLE_ENTRIES);
        boolean shared = weight.lut().rows() == 1;
        rows.fill(weight.rows(), weight.scale(), weight.zero(), team, row -> {
            rows.putTable(row, tables, shared ? 0 : row * ByteShape.TABLE_ENTRIES);
            rows.putCodes(row, codes, 0);
        });
        return rows;
    }

    static ByteRows of(IntWeight weight, Team team) {
        boolean halfSides = Rounding.fitHalf(weight.scale(), weight.zero());
        ByteRows rows =
                new ByteRows(new ByteShape(Byte.SIZE, weight.columns(), weight.groupSize(), halfSides), weight.rows());
        boolean signed = weight.codes().dtype() == DType.I8;
        rows.fill(weight.rows(), weight.scale(), weight.zero(), team, row -> {
            rows.putUnit(row, 1, signed ? Byte.MIN_VALUE : 0);
            rows.putCodes(row, weight.codes(), signed ? SIGN_BITS : 0);
        });
        return rows;
    }

    /// @param put writes what a row has beside scales and zeros
    private void fill(int rows, Tensor scale, @Nullable Tensor zero, Team team, IntConsumer put) {
        team.run(rows, ByteShape.ROWS, (from, to) -> {
            float[] groups = new float[Math.toIntExact(scale.columns())];
            for (int row = from; row < to; row++) {
                scale.copyRow(row, groups, 0);
                putSides(row, groups, 0);
                if (zero != null) {
                    zero.copyRow(row, groups, 0);
                    putSides(row, groups, shape.zerosAt());
                }
                put.accept(row);
            }
        });
    }

    ByteShape shape() {
        return shape;
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
        float low = Rounding.lowest(tables, from, ByteShape.TABLE_ENTRIES);
        float high = Rounding.highest(tables, from, ByteShape.TABLE_ENTRIES);
        float smallest = (high - low) / ByteShape.TABLE_LIMIT;
        float unit = Rounding.unit(tables, from, ByteShape.TABLE_ENTRIES, low, smallest);
        for (int i = 0; i < ByteShape.TABLE_ENTRIES; i++) {
            byte entry = (byte) (unit == 0 ? 0 : Math.round((tables[from + i] - low) / unit));
            memory.set(JAVA_BYTE, start(row) + inLines(row) + i, entry);
        }
        putUnit(row, unit, low);
    }

    private void putUnit(int row, float unit, float base) {
        long at = start(row) + 4L * (row % ByteShape.ROWS);
        memory.set(Tensor.FLOAT, at + ByteShape.UNITS_AT, unit);
        memory.set(Tensor.FLOAT, at + ByteShape.BASES_AT, base);
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
    ///
    /// @param flip bits to turn around
    private void putCodes(int row, Tensor codes, long flip) {
        long source = codes.columns() * row;
        for (int column = 0; column < shape.columns(); column += 8) {
            int inEntry = column % shape.entryColumns();
            int line = inEntry / shape.lineColumns() * ByteShape.LINES;
            long lines = entry(row, column / shape.entryColumns()) + shape.codesAt() + (long) line * ByteShape.LINE;
            long at = lines + inLines(row) + column % ByteShape.STEP;
            int shift = inEntry % shape.lineColumns() / ByteShape.STEP * shape.bits();
            int from = column / 8 * shape.bits();
            int bytes = Math.min(shape.bits(), (int) codes.columns() - from);
            long spread = Long.expand(packed(codes, source + from, bytes), mask() << shift);
            memory.set(JAVA_LONG_UNALIGNED, at, memory.get(JAVA_LONG_UNALIGNED, at) | spread ^ flip);
        }
    }

    /// A code of 1s in each byte.
    private long mask() {
        return LOWEST_BITS * ((1 << shape.bits()) - 1);
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
