package io.any4.bench;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/// Random weights of a format given by name: `any4`, `any3`, `any2`, `any4s`, `nf4`, `int4`, `int8`, `bf16`, `f16`,
/// `f32`.
final class RandomWeight {
    private RandomWeight() {}

    static Weight of(String format, int rows, int columns, int groupSize) {
        return switch (format) {
            case "any4" -> lut(4, rows, columns, groupSize, true);
            case "any3" -> lut(3, rows, columns, groupSize, true);
            case "any2" -> lut(2, rows, columns, groupSize, true);
            case "any4s" -> signedScales(rows, columns, groupSize);
            case "nf4" -> shared(rows, columns, groupSize);
            case "int4" -> lut(4, rows, columns, groupSize, false);
            case "int8" -> int8(rows, columns, groupSize);
            case "bf16" -> dense(DType.BF16, rows, columns);
            case "f16" -> dense(DType.F16, rows, columns);
            case "f32" -> dense(DType.F32, rows, columns);
            default -> throw new IllegalArgumentException("unknown format " + format);
        };
    }

    private static LutWeight lut(int bits, int rows, int columns, int groupSize, boolean tablePerRow) {
        Tensor codes = random(DType.U8, rows, BitPacking.rowBytes(columns, bits));
        int groups = Math.ceilDiv(columns, groupSize);
        int tables = tablePerRow ? rows : 1;
        Tensor table = Tensor.allocate(Arena.ofAuto(), DType.F16, tables, 1 << bits);
        SplittableRandom random = new SplittableRandom(1);
        for (int i = 0; i < tables << bits; i++) {
            table.setFloat(i, tablePerRow ? random.nextFloat() * 15 : i);
        }
        return new LutWeight(
                bits, columns, groupSize, codes, table, small(rows, groups, 0.01f), small(rows, groups, -0.07f));
    }

    /// A table per row and a signed byte per group, without zeros.
    private static LutWeight signedScales(int rows, int columns, int groupSize) {
        Tensor codes = random(DType.U8, rows, BitPacking.rowBytes(columns, 4));
        Tensor scale = random(DType.I8, rows, Math.ceilDiv(columns, groupSize));
        return new LutWeight(4, columns, groupSize, codes, small(rows, 16, 0.001f), scale, null);
    }

    /// One table of unequal steps for all rows, without zeros.
    private static LutWeight shared(int rows, int columns, int groupSize) {
        Tensor codes = random(DType.U8, rows, BitPacking.rowBytes(columns, 4));
        Tensor scale = small(rows, Math.ceilDiv(columns, groupSize), 0.01f);
        return new LutWeight(4, columns, groupSize, codes, small(1, 16, 1f), scale, null);
    }

    private static IntWeight int8(int rows, int columns, int groupSize) {
        int groups = Math.ceilDiv(columns, groupSize);
        return new IntWeight(groupSize, random(DType.I8, rows, columns), small(rows, groups, 0.001f), null);
    }

    private static DenseWeight dense(DType dtype, int rows, int columns) {
        Tensor values = Tensor.allocate(Arena.ofAuto(), dtype, rows, columns);
        SplittableRandom random = new SplittableRandom(2);
        for (long i = 0; i < values.elements(); i++) {
            values.setFloat(i, random.nextFloat() - 0.5f);
        }
        return new DenseWeight(values);
    }

    private static Tensor small(int rows, int columns, float size) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), DType.F16, rows, columns);
        SplittableRandom random = new SplittableRandom(3);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.setFloat(i, size * (0.5f + random.nextFloat()));
        }
        return tensor;
    }

    private static Tensor random(DType dtype, int rows, int columns) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), dtype, rows, columns);
        SplittableRandom random = new SplittableRandom(4);
        long bytes = tensor.data().byteSize();
        for (long at = 0; at + 8 <= bytes; at += 8) {
            tensor.data().set(ValueLayout.JAVA_LONG_UNALIGNED, at, random.nextLong());
        }
        return tensor;
    }
}
