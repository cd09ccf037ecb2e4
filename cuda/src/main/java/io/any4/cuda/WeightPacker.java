package io.any4.cuda;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Floats;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// Lays weights out for the kernels. Rows are padded to 16, columns to 64 and to the group; padding is zeros,
/// and the activations that would meet padded columns are zeros as well.
final class WeightPacker {
    private final Activation activation;
    private final Arena arena;

    /// @param arena owns the results
    WeightPacker(Activation activation, Arena arena) {
        this.activation = activation;
        this.arena = arena;
    }

    /// @throws InvalidInputException if the kernels cannot run the weight, naming what would
    PackedWeight pack(Weight weight) {
        return switch (weight) {
            case DenseWeight dense -> pack(dense);
            case LutWeight lut -> pack(lut);
            case IntWeight integers -> pack(integers);
        };
    }

    private PackedWeight pack(DenseWeight weight) {
        int columns = padded(weight.columns(), Format.TILE_COLUMNS);
        MemorySegment codes = new TilePacker(Format.DENSE, weight.rows(), weight.columns(), columns)
                .pack(arena, (row, out) -> {
                    float[] values = new float[weight.columns()];
                    weight.dequantizeRow(row, values, 0);
                    for (int j = 0; j < values.length; j++) {
                        out[j] = activationBits(values[j]);
                    }
                });
        return new PackedWeight(
                Format.DENSE, weight.rows(), columns, Format.TILE_COLUMNS, 0, codes, null, 0, null, null);
    }

    private PackedWeight pack(LutWeight weight) {
        int group = kernelGroup(weight.groupSize(), weight.groups());
        int columns = padded(weight.columns(), Math.max(group, Format.TILE_COLUMNS));
        boolean integers = weight.lut().rows() == 1 && countsUp(weight.lut());
        Format format = integers ? Format.INT4 : Format.LUT4;
        MemorySegment codes = new TilePacker(format, weight.rows(), weight.columns(), columns)
                .pack(arena, (row, out) -> {
                    byte[] unpacked = new byte[weight.columns()];
                    BitPacking.unpackRow(weight.codes(), row, weight.bits(), unpacked);
                    for (int j = 0; j < unpacked.length; j++) {
                        out[j] = unpacked[j];
                    }
                });
        ScalePacker scales = new ScalePacker(weight.rows(), weight.groupSize(), group, columns / group);
        scales.pack(arena, weight.scale(), weight.zero());
        return new PackedWeight(
                format,
                weight.rows(),
                columns,
                group,
                integers ? weight.lut().getFloat(0) : 0,
                codes,
                integers ? null : TablePacker.pack(arena, weight),
                weight.lut().rows() == 1 ? 0 : TablePacker.TILE_BYTES,
                scales.scales(),
                scales.factors());
    }

    private PackedWeight pack(IntWeight weight) {
        int group = kernelGroup(weight.groupSize(), weight.groups());
        int columns = padded(weight.columns(), Math.max(group, Format.TILE_COLUMNS));
        boolean signed = weight.codes().dtype() == DType.I8;
        int shift = signed ? 128 : 0;
        MemorySegment codes = new TilePacker(Format.INT8, weight.rows(), weight.columns(), columns)
                .pack(arena, (row, out) -> {
                    long first = (long) row * weight.columns();
                    for (int j = 0; j < weight.columns(); j++) {
                        out[j] = (short) (weight.codes().getFloat(first + j) + shift);
                    }
                });
        ScalePacker scales = new ScalePacker(weight.rows(), weight.groupSize(), group, columns / group);
        scales.pack(arena, weight.scale(), weight.zero());
        return new PackedWeight(
                Format.INT8, weight.rows(), columns, group, -shift, codes, null, 0, scales.scales(), scales.factors());
    }

    /// The group size of the kernel that runs groups of a size: the largest that divides it.
    private static int kernelGroup(int groupSize, int groups) {
        if (groups == 1 || groupSize % 128 == 0) {
            return 128;
        }
        if (groupSize % 32 != 0) {
            throw new InvalidInputException(
                    "groups of %d cannot run on cuda, only multiples of 32: quantize with another group size or run with --device cpu"
                            .formatted(groupSize));
        }
        return groupSize % 64 == 0 ? 64 : 32;
    }

    private static int padded(int columns, int multiple) {
        return Math.ceilDiv(columns, multiple) * multiple;
    }

    /// Whether a table is `a, a + 1, a + 2, ...`: then codes are numbers and need no table.
    private static boolean countsUp(Tensor table) {
        for (int i = 1; i < table.columns(); i++) {
            if (table.getFloat(i) != table.getFloat(0) + i) {
                return false;
            }
        }
        return true;
    }

    private short activationBits(float value) {
        short bits = switch (activation) {
            case BF16 -> Floats.toBf16(value);
            case F16 -> Float.floatToFloat16(value);
        };
        if (activation == Activation.F16 && Math.abs(value) > 65504 && !Float.isInfinite(value)) {
            throw new InvalidInputException(
                    "the weight %s is too large for 16-bit floats: run cuda with bf16 activations".formatted(value));
        }
        return bits;
    }
}
