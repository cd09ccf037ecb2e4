package io.any4.tinygemm;

import static io.any4.tinygemm.NativeMemory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import io.any4.machine.RowShape;
import io.any4.tensor.Tensor;
import java.util.stream.IntStream;

/// The product of one row and one token as [RowShape] defines it, from the memory that the programs read.
final class IntegerOracle {
    private final RowShape shape;
    private final Isa isa;
    /// The column of each integer of a token's block.
    private final int[] order;

    IntegerOracle(RowShape shape, Isa isa) {
        this.shape = shape;
        this.isa = isa;
        order = IntStream.range(0, shape.block())
                .map(IntegerPrograms.of(shape, isa)::column)
                .toArray();
    }

    float product(long row, long token) {
        float unit = ALL.get(Tensor.FLOAT, row + RowShape.UNIT_AT);
        float middle = ALL.get(Tensor.FLOAT, row + RowShape.MIDDLE_AT);
        float y = 0;
        for (int e = 0; e < shape.entries(); e++) {
            float zero = Math.fma(side(row + RowShape.SCALES_AT, e), middle, side(row + shape.zerosAt(), e));
            y = Math.fma(zero, ALL.get(Tensor.FLOAT, token + shape.sumsAt() + 4L * e), y);
        }
        for (int e = 0; e < shape.entries(); e++) {
            float scaled = integers(row, token, e) * (side(row + RowShape.SCALES_AT, e) * unit);
            y = Math.fma(scaled, ALL.get(Tensor.FLOAT, token + 4L * e), y);
        }
        return y;
    }

    private int integers(long row, long token, int entry) {
        int block = entry / shape.entriesPerBlock();
        int first = entry % shape.entriesPerBlock() * shape.entryColumns();
        int last = first + shape.entryColumns();
        long columns = token + shape.columnsAt() + (long) block * shape.tokenBlockBytes();
        int sum = 0;
        // the programs may add in any order, because integers that do not overflow have one sum only
        for (int position = 0; position < order.length; position++) {
            int column = order[position];
            if (column >= first && column < last) {
                int integer = ALL.get(Tensor.SHORT, columns + 2L * position);
                sum = Math.addExact(sum, integer * table(row, code(row, block * shape.block() + column)));
            }
        }
        return sum;
    }

    private int code(long row, int column) {
        int bit = column * shape.bits();
        return ALL.get(JAVA_BYTE, row + shape.codesAt() + bit / 8) >> bit % 8 & (1 << shape.bits()) - 1;
    }

    private int table(long row, int code) {
        if (isa != Isa.AVX512_VNNI) {
            return ALL.get(JAVA_BYTE, row + 16 + code) << 8 | ALL.get(JAVA_BYTE, row + code) & 0xff;
        }
        return ALL.get(Tensor.SHORT, row + 2L * code);
    }

    private float side(long at, int entry) {
        return shape.halfSides()
                ? Float.float16ToFloat(ALL.get(Tensor.SHORT, at + 2L * entry))
                : ALL.get(Tensor.FLOAT, at + 4L * entry);
    }
}
