package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Floats;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/// The tensors of a weight in the making; rows may be written in any order and by any thread.
final class WeightTensors {
    private final QuantizationSpec spec;
    private final int columns;
    private final int groups;
    private final Tensor codes;
    private final @Nullable Tensor table;
    private final Tensor scale;
    private final @Nullable Tensor zero;

    WeightTensors(QuantizationSpec spec, long rows, int columns, Arena arena) {
        this.spec = spec;
        this.columns = columns;
        groups = Math.ceilDiv(columns, spec.groupSize(columns));
        boolean signedBytes = spec.bits() == 8 && spec.symmetric();
        codes = Tensor.allocate(
                arena, signedBytes ? DType.I8 : DType.U8, rows, BitPacking.rowBytes(columns, spec.bits()));
        table = spec.bits() == 8
                ? null
                : Tensor.allocate(
                        arena,
                        spec.metadata(),
                        spec.sharesTable() ? 1 : rows,
                        spec.method().levels());
        scale = Tensor.allocate(arena, spec.scaleType(), rows, groups);
        zero = spec.hasZero() ? Tensor.allocate(arena, spec.metadata(), rows, groups) : null;
    }

    /// Groups per row.
    int groups() {
        return groups;
    }

    /// Elements per group, the last group of a row excepted.
    int groupSize() {
        return spec.groupSize(columns);
    }

    /// Where group `group` ends: the column after its last one.
    int groupEnd(int group) {
        return (int) Math.min(columns, (group + 1L) * groupSize());
    }

    /// Stores a row: a code per column, and per group a scale and, unless the format has none, a zero, already
    /// rounded to what the tensors hold.
    void writeRow(int row, byte[] rowCodes, float[] scales, float @Nullable [] zeros) {
        if (spec.bits() == 8) {
            MemorySegment.copy(rowCodes, 0, codes.data(), ValueLayout.JAVA_BYTE, (long) row * columns, columns);
        } else {
            BitPacking.packRow(rowCodes, spec.bits(), codes, row);
        }
        for (int group = 0; group < groups; group++) {
            scale.setFloat((long) row * groups + group, scales[group]);
            if (zero != null && zeros != null) {
                zero.setFloat((long) row * groups + group, zeros[group]);
            }
        }
    }

    /// Stores the table of a row, or row 0's for all.
    void writeTable(int row, float[] levels) {
        if (table == null) {
            throw new IllegalStateException("8-bit weights have no table");
        }
        int count = spec.method().levels();
        for (int k = 0; k < count; k++) {
            table.setFloat((long) row * count + k, levels[k]);
        }
    }

    Weight weight() {
        return table == null
                ? new IntWeight(groupSize(), codes, scale, zero)
                : new LutWeight(spec.bits(), columns, groupSize(), codes, table, scale, zero);
    }

    /// `value` as it will read once stored as metadata.
    ///
    /// @throws InvalidInputException if the type cannot hold it
    static float round(float value, DType metadata, int row) {
        float rounded = Floats.round(value, metadata);
        if (!Float.isFinite(rounded)) {
            throw new InvalidInputException(
                    "the weights in row %d are too large for %s scales: choose bf16 or f32 metadata"
                            .formatted(row, metadata));
        }
        return rounded;
    }
}
