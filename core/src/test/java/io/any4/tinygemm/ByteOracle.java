package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.any4.machine.ByteShape;
import io.any4.tensor.Tensor;

/// The product of one row and one token as [ByteShape] defines it, from the memory that the programs read.
final class ByteOracle {
    private final ByteShape shape;

    ByteOracle(ByteShape shape) {
        this.shape = shape;
    }

    /// @param rows the address of sixteen rows
    /// @param row which of them, 0 to 15
    float product(long rows, int row, long token) {
        float unit = ALL.get(Tensor.FLOAT, rows + ByteShape.UNITS_AT + 4L * row);
        float base = ALL.get(Tensor.FLOAT, rows + ByteShape.BASES_AT + 4L * row);
        float y = 0;
        for (int e = 0; e < shape.entries(); e++) {
            long entry = rows + ByteShape.ENTRIES_AT + (long) e * shape.entryBytes();
            float scale = side(entry, row);
            float zero = Math.fma(scale, base, side(entry + shape.zerosAt(), row));
            y = Math.fma(zero, ALL.get(Tensor.FLOAT, token + shape.sumsAt() + 4L * e), y);
            float scaled = integers(rows, row, token, e) * (scale * unit);
            y = Math.fma(scaled, ALL.get(Tensor.FLOAT, token + 4L * e), y);
        }
        return y;
    }

    private int integers(long rows, int row, long token, int entry) {
        long tables = rows + inLines(row);
        long codes = rows + ByteShape.ENTRIES_AT + (long) entry * shape.entryBytes() + shape.codesAt() + inLines(row);
        long columns = token + shape.columnsAt() + (long) entry * shape.entryColumns();
        int sum = 0;
        for (int column = 0; column < shape.entryColumns(); column++) {
            int code = code(codes, column);
            int table = shape.bits() == 8 ? code : ALL.get(JAVA_BYTE, tables + code) & 0xff;
            sum += table * ALL.get(JAVA_BYTE, columns + column);
        }
        return sum;
    }

    private static int inLines(int row) {
        return row % 4 * 64 + row / 4 * 16;
    }

    private int code(long codes, int column) {
        int inLine = column % shape.lineColumns();
        long line = codes + 256L * (column / shape.lineColumns());
        int packed = ALL.get(JAVA_BYTE, line + inLine % 16) & 0xff;
        return packed >> inLine / 16 * shape.bits() & (1 << shape.bits()) - 1;
    }

    private float side(long at, int row) {
        return shape.halfSides()
                ? Float.float16ToFloat(ALL.get(Tensor.SHORT, at + 2L * row))
                : ALL.get(Tensor.FLOAT, at + 4L * row);
    }
}
