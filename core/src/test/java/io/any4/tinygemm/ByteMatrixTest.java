package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.any4.machine.ByteShape;
import io.any4.machine.IntegerPrograms;
import io.any4.machine.Isa;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.RandomWeights.Side;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/// The programs in machine code against what [ByteShape] says, bit by bit, and against products of floats.
class ByteMatrixTest {
    private static final long SEED = 20251130;
    private static final Team TEAM = new Team(2);

    @AfterAll
    static void endTeam() {
        TEAM.close();
    }

    static Stream<Arguments> formats() {
        List<Side> sides = List.of(
                new Side(DType.F16, DType.F16, false, true),
                new Side(DType.BF16, DType.BF16, false, false),
                new Side(DType.F32, DType.F32, true, true),
                new Side(DType.BF16, DType.I8, false, false),
                new Side(DType.F32, DType.E8M0, true, false));
        return Stream.of(Isa.values())
                .filter(Isa::addsBytes)
                .flatMap(isa -> Stream.of(2, 3, 4, 8)
                        .flatMap(bits -> sides.stream()
                                .flatMap(side -> Stream.of(16, 32, 64, 96, 128, 256, 512, 100_000)
                                        .filter(group -> ByteShape.fits(bits == 3 ? 4 : bits, 3000, group))
                                        .map(group -> Arguments.of(isa, bits, group, side)))));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void products(Isa isa, int bits, int group, Side side) {
        assumeThat(IntegerPrograms.isas(Simd.BITS)).contains(isa);
        RandomWeights random = new RandomWeights(SEED);
        for (int columns : new int[] {1, 33, 129, 552, 1024}) {
            for (int tokens : new int[] {1, 2, 3, 5, 16, 31}) {
                int rows = 1 + (columns + 7 * tokens) % 45;
                check(weight(random, bits, rows, columns, group, side), isa, tokens, random);
            }
        }
    }

    private static Weight weight(RandomWeights random, int bits, int rows, int columns, int group, Side side) {
        return bits == 8 ? random.int8(rows, columns, group, side) : random.lut(bits, rows, columns, group, side);
    }

    private static ByteRows rows(Weight weight) {
        return switch (weight) {
            case LutWeight lut -> ByteRows.of(lut, LutCodes.unpackable(lut, TEAM), LutCodes.bits(lut), TEAM);
            case IntWeight integers -> ByteRows.of(integers, TEAM);
            case DenseWeight dense -> throw new IllegalArgumentException();
        };
    }

    private static void check(Weight weight, Isa isa, int tokens, RandomWeights random) {
        ByteRows rows = rows(weight);
        ByteMatrix matrix = new ByteMatrix(weight, rows, isa);
        float[] x = random.normal(tokens * weight.columns());
        MemorySegment arranged = Scratch.aligned((long) tokens * matrix.arrangedLength());
        for (int t = 0; t < tokens; t++) {
            matrix.arrange(x, t * weight.columns(), arranged, (long) t * matrix.arrangedLength());
        }
        float[] y = new float[tokens * weight.rows()];
        TEAM.run(weight.rows(), matrix.rowGrain(), (from, to) -> matrix.multiply(arranged, tokens, y, from, to));
        ByteOracle oracle = new ByteOracle(rows.shape());
        float[] expected = new float[y.length];
        for (int r = 0; r < weight.rows(); r++) {
            for (int t = 0; t < tokens; t++) {
                long token = arranged.address() + 4L * t * matrix.arrangedLength();
                expected[t * weight.rows() + r] = oracle.product(rows.address(r), r % ByteShape.ROWS, token);
            }
        }
        assertThat(y).isEqualTo(expected);
        checkRounding(weight, x, tokens, y);
    }

    /// An element of a weight is rounded to 8 bits of the table's reach, one of a token to 8 bits of the
    /// largest.
    private static void checkRounding(Weight weight, float[] x, int tokens, float[] y) {
        int columns = weight.columns();
        double rounding = 1 / 255.0 + 1 / 254.0;
        double worst = reach(weight) * largest(x) * rounding;
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
