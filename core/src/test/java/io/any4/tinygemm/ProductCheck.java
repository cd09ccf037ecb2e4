package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.RandomWeights.Side;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/// Products of rounded tokens against their definition, bit by bit, and against products of floats.
final class ProductCheck {
    /// Types of tables, scales and zeros.
    static final List<Side> SIDES = List.of(
            new Side(DType.F16, DType.F16, false, true),
            new Side(DType.BF16, DType.BF16, false, false),
            new Side(DType.F32, DType.F32, true, true),
            new Side(DType.BF16, DType.I8, false, false),
            new Side(DType.F32, DType.E8M0, true, false));

    /// The definition: the product of a row and of the rounded token at an address.
    interface Oracle {
        float product(int row, long token);
    }

    private ProductCheck() {}

    /// @param rounding of an element of the weight and one of a token, as a share of the largest
    static void check(CpuMatrix matrix, Oracle oracle, double rounding, int tokens, RandomWeights random, Team team) {
        Weight weight = matrix.weight();
        int rows = weight.rows();
        float[] x = random.normal(tokens * weight.columns());
        MemorySegment arranged = Scratch.aligned((long) tokens * matrix.arrangedLength());
        for (int t = 0; t < tokens; t++) {
            matrix.arrange(x, t * weight.columns(), arranged, (long) t * matrix.arrangedLength());
        }
        float[] y = new float[tokens * rows];
        team.run(rows, matrix.rowGrain(), (from, to) -> matrix.multiply(arranged, tokens, y, from, to));
        float[] expected = new float[y.length];
        for (int t = 0; t < tokens; t++) {
            long token = arranged.address() + 4L * t * matrix.arrangedLength();
            for (int r = 0; r < rows; r++) {
                expected[t * rows + r] = oracle.product(r, token);
            }
        }
        assertThat(y).isEqualTo(expected);
        checkRounding(weight, x, tokens, y, reach(weight) * largest(x) * rounding);
    }

    /// @param worst error of one of the terms of a product
    private static void checkRounding(Weight weight, float[] x, int tokens, float[] y, double worst) {
        int columns = weight.columns();
        double tolerance = worst * Math.min(columns, 4 * Math.sqrt(columns));
        float[] w = new float[columns];
        for (int r = 0; r < weight.rows(); r++) {
            weight.dequantizeRow(r, w, 0);
            for (int t = 0; t < tokens; t++) {
                double sum = 0;
                for (int i = 0; i < columns; i++) {
                    sum += (double) w[i] * x[t * columns + i];
                }
                if (Math.abs(y[t * weight.rows() + r] - sum) > tolerance) {
                    assertThat((double) y[t * weight.rows() + r]).isCloseTo(sum, within(tolerance));
                }
            }
        }
    }

    private static double reach(Weight weight) {
        return switch (weight) {
            case LutWeight lut -> largest(lut.lut()) * largest(lut.scale());
            case IntWeight integers -> 255 * largest(integers.scale());
            case DenseWeight dense -> throw new IllegalArgumentException();
        };
    }

    private static double largest(Tensor tensor) {
        return LongStream.range(0, tensor.rows() * tensor.columns())
                .mapToDouble(i -> Math.abs(tensor.getFloat(i)))
                .max()
                .orElseThrow();
    }

    private static double largest(float[] x) {
        return IntStream.range(0, x.length)
                .mapToDouble(i -> Math.abs(x[i]))
                .max()
                .orElseThrow();
    }
}
