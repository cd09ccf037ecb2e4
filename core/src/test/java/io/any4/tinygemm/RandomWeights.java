package io.any4.tinygemm;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.util.Random;

/// Weights of every format, filled from a seed.
final class RandomWeights {
    private final Random random;

    RandomWeights(long seed) {
        random = new Random(seed);
    }

    float[] normal(int length) {
        float[] out = new float[length];
        for (int i = 0; i < length; i++) {
            out[i] = (float) random.nextGaussian();
        }
        return out;
    }

    LutWeight lut(int bits, int rows, int columns, int groupSize, Side side) {
        byte[] row = new byte[columns];
        Tensor codes = Tensor.allocate(Arena.ofAuto(), DType.U8, rows, BitPacking.rowBytes(columns, bits));
        for (int r = 0; r < rows; r++) {
            for (int c = 0; c < columns; c++) {
                row[c] = (byte) random.nextInt(1 << bits);
            }
            BitPacking.packRow(row, bits, codes, r);
        }
        int tables = side.shared() ? 1 : rows;
        int groups = Math.ceilDiv(columns, groupSize);
        Tensor table = Tensor.ofFloats(side.table(), normal(tables << bits), tables, 1 << bits);
        return new LutWeight(
                bits, columns, groupSize, codes, table, scales(side, rows, groups), zeros(side, rows, groups));
    }

    IntWeight int8(int rows, int columns, int groupSize, Side side) {
        Tensor codes = Tensor.allocate(Arena.ofAuto(), side.zero() ? DType.U8 : DType.I8, rows, columns);
        byte[] bytes = new byte[rows * columns];
        random.nextBytes(bytes);
        codes.data().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
        int groups = Math.ceilDiv(columns, groupSize);
        return new IntWeight(groupSize, codes, scales(side, rows, groups), zeros(side, rows, groups));
    }

    DenseWeight dense(DType dtype, int rows, int columns) {
        return new DenseWeight(Tensor.ofFloats(dtype, normal(rows * columns), rows, columns));
    }

    private Tensor scales(Side side, int rows, int groups) {
        Tensor scales = Tensor.allocate(Arena.ofAuto(), side.metadata(), rows, groups);
        for (int i = 0; i < rows * groups; i++) {
            if (side.metadata() == DType.E8M0) {
                scales.data().set(ValueLayout.JAVA_BYTE, i, (byte) (120 + random.nextInt(10)));
            } else if (side.metadata() == DType.I8) {
                scales.setFloat(i, random.nextInt(255) - 127);
            } else {
                scales.setFloat(i, 0.01f + random.nextFloat());
            }
        }
        return scales;
    }

    private @org.jspecify.annotations.Nullable Tensor zeros(Side side, int rows, int groups) {
        if (!side.zero()) {
            return null;
        }
        DType dtype = side.metadata() == DType.E8M0 ? DType.F16 : side.metadata();
        return Tensor.ofFloats(dtype, normal(rows * groups), rows, groups);
    }

    /// What stands beside the codes.
    record Side(DType table, DType metadata, boolean shared, boolean zero) {}
}
