package io.any4.cuda;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/// Weights of every format, filled from a seed.
final class RandomWeights {
    /// The formats a weight can come in.
    enum Kind {
        ANY4,
        ANY4S,
        ANY3,
        ANY2,
        NF4,
        MX4,
        INT4,
        INT4_CENTERED,
        INT8,
        INT8_SIGNED,
        DENSE
    }

    private static final float[] NF4 = {
        -1f, -0.6962f, -0.5251f, -0.3949f, -0.2844f, -0.1848f, -0.0911f, 0f, 0.0796f, 0.1609f, 0.2461f, 0.3379f,
        0.4407f, 0.5626f, 0.723f, 1f
    };
    private static final float[] FP4 = {0, .5f, 1, 1.5f, 2, 3, 4, 6, -0f, -.5f, -1, -1.5f, -2, -3, -4, -6};

    private final Random random;

    RandomWeights(long seed) {
        random = new Random(seed);
    }

    Weight weight(Kind kind, int rows, int columns, int group) {
        int groups = Math.ceilDiv(columns, group);
        return switch (kind) {
            case ANY4 ->
                lut(4, rows, columns, group, learned(rows, 16), scales(DType.F16, rows, groups), zeros(rows, groups));
            case ANY4S -> lut(4, rows, columns, group, learned(rows, 16), signedBytes(rows, groups), null);
            case ANY3 ->
                lut(3, rows, columns, group, learned(rows, 8), scales(DType.F16, rows, groups), zeros(rows, groups));
            case ANY2 -> lut(2, rows, columns, group, learned(rows, 4), scales(DType.BF16, rows, groups), null);
            case NF4 -> lut(4, rows, columns, group, table(NF4), scales(DType.F32, rows, groups), null);
            case MX4 -> lut(4, rows, columns, group, table(FP4), powers(rows, groups), null);
            case INT4 -> {
                Tensor scale = scales(DType.F16, rows, groups);
                yield lut(4, rows, columns, group, table(counting(0)), scale, centering(scale, 7.5f));
            }
            case INT4_CENTERED ->
                lut(4, rows, columns, group, table(counting(-8)), scales(DType.BF16, rows, groups), null);
            case INT8 -> {
                Tensor scale = scales(DType.F16, rows, groups);
                yield new IntWeight(group, bytes(DType.U8, rows, columns), scale, centering(scale, 127.5f));
            }
            case INT8_SIGNED ->
                new IntWeight(group, bytes(DType.I8, rows, columns), scales(DType.F16, rows, groups), null);
            case DENSE -> new DenseWeight(numbers(DType.BF16, rows, columns));
        };
    }

    float[] activations(int count) {
        float[] pool = new float[Math.min(count, 1 << 16)];
        for (int i = 0; i < pool.length; i++) {
            pool[i] = (float) random.nextGaussian();
        }
        float[] x = new float[count];
        for (int i = 0; i < count; i++) {
            x[i] = pool[(i + i / pool.length * 7919) % pool.length]; // large ones repeat, out of step with rows
        }
        return x;
    }

    private LutWeight lut(
            int bits, int rows, int columns, int group, Tensor table, Tensor scale, @Nullable Tensor zero) {
        Tensor codes = bytes(DType.U8, rows, BitPacking.rowBytes(columns, bits));
        return new LutWeight(bits, columns, group, codes, table, scale, zero);
    }

    private Tensor bytes(DType dtype, int rows, int columns) {
        byte[] bytes = new byte[rows * columns];
        random.nextBytes(bytes);
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), dtype, rows, columns);
        tensor.data().copyFrom(java.lang.foreign.MemorySegment.ofArray(bytes));
        return tensor;
    }

    private Tensor numbers(DType dtype, int rows, int columns) {
        return Tensor.ofFloats(dtype, activations(rows * columns), rows, columns);
    }

    private Tensor learned(int rows, int levels) {
        return numbers(DType.F16, rows, levels);
    }

    private static Tensor table(float[] entries) {
        return Tensor.ofFloats(DType.F32, entries, 1, entries.length);
    }

    private static float[] counting(int first) {
        float[] entries = new float[16];
        for (int i = 0; i < 16; i++) {
            entries[i] = first + i;
        }
        return entries;
    }

    private Tensor scales(DType dtype, int rows, int groups) {
        float[] values = new float[rows * groups];
        for (int i = 0; i < values.length; i++) {
            values[i] = .5f + random.nextFloat();
        }
        return Tensor.ofFloats(dtype, values, rows, groups);
    }

    /// 8-bit signed scales, whose size the row's table takes into account.
    private Tensor signedBytes(int rows, int groups) {
        Tensor scales = Tensor.allocate(Arena.ofAuto(), DType.I8, rows, groups);
        for (int i = 0; i < scales.elements(); i++) {
            scales.setFloat(i, random.nextInt(-127, 128));
        }
        return scales;
    }

    private Tensor powers(int rows, int groups) {
        float[] values = new float[rows * groups];
        for (int i = 0; i < values.length; i++) {
            values[i] = Math.scalb(1f, random.nextInt(-9, 3));
        }
        return Tensor.ofFloats(DType.E8M0, values, rows, groups);
    }

    /// Zeros that take the mean off, about as a quantizer chooses them.
    private Tensor centering(Tensor scale, float middle) {
        float[] values = scale.toFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] *= -middle * (.9f + .2f * random.nextFloat());
        }
        return Tensor.ofFloats(DType.F16, values, scale.rows(), scale.columns());
    }

    private Tensor zeros(int rows, int groups) {
        float[] values = new float[rows * groups];
        for (int i = 0; i < values.length; i++) {
            values[i] = .2f * (float) random.nextGaussian();
        }
        return Tensor.ofFloats(DType.F16, values, rows, groups);
    }
}
