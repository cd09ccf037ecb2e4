package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.DType;
import io.any4.tinygemm.RandomWeights.Side;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector provider of this process against the oracle. The build runs this class once per vector width.
class VectorMatmulTest {
    private static final long SEED = 20250701;
    private static final int[] COLUMNS = {1, 33, 100, 128, 129, 300, 552, 1024};

    @BeforeAll
    static void theProviderIsTheOneAskedFor() {
        try (CpuDevice device = CpuDevice.open(new CpuOptions(1, true))) {
            assertThat(device.describe()).startsWith("cpu: vector " + Simd.BITS + " bit, 1 thread");
            VectorBits.requested().ifPresent(bits -> assertThat(Simd.BITS).isEqualTo(bits));
        }
    }

    static Stream<Arguments> lutFormats() {
        List<Side> sides = List.of(
                new Side(DType.F16, DType.F16, false, true),
                new Side(DType.BF16, DType.BF16, false, false),
                new Side(DType.F32, DType.F32, true, true),
                new Side(DType.BF16, DType.I8, false, false),
                new Side(DType.F32, DType.E8M0, true, false));
        return Stream.of(2, 3, 4)
                .flatMap(bits -> sides.stream()
                        .flatMap(side -> Stream.of(8, 16, 32, 48, 64, 100, 128, 256, 100_000)
                                .map(group -> Arguments.of(bits, group, side))));
    }

    @ParameterizedTest
    @MethodSource("lutFormats")
    void tableWeights(int bits, int group, Side side) {
        RandomWeights random = new RandomWeights(SEED);
        for (int columns : COLUMNS) {
            check(random.lut(bits, 1 + columns % 13, columns, group, side), random);
        }
    }

    /// More rows than are taken together, and a last chunk that is neither full nor a multiple of four.
    @ParameterizedTest
    @ValueSource(ints = {63, 65, 66, 150})
    void chunksOfRows(int rows) {
        RandomWeights random = new RandomWeights(SEED);
        Side perRow = new Side(DType.BF16, DType.BF16, false, true);
        Side shared = new Side(DType.BF16, DType.I8, true, false);
        check(random.lut(4, rows, 300, 128, perRow), random);
        check(random.lut(4, rows, 300, 32, shared), random);
        check(random.lut(2, rows, 300, 64, perRow), random);
        check(random.int8(rows, 300, 64, perRow), random);
        check(random.dense(DType.BF16, rows, 300), random);
    }

    static Stream<Arguments> intFormats() {
        return Stream.of(true, false)
                .flatMap(zero -> Stream.of(4, 16, 32, 50, 64, 128, 100_000)
                        .map(group -> Arguments.of(group, new Side(DType.F32, DType.F16, false, zero))));
    }

    @ParameterizedTest
    @MethodSource("intFormats")
    void int8Weights(int group, Side side) {
        RandomWeights random = new RandomWeights(SEED);
        for (int columns : COLUMNS) {
            check(random.int8(1 + columns % 13, columns, group, side), random);
        }
    }

    @ParameterizedTest
    @MethodSource("denseFormats")
    void denseWeights(DType dtype) {
        RandomWeights random = new RandomWeights(SEED);
        for (int columns : COLUMNS) {
            check(random.dense(dtype, 1 + columns % 13, columns), random);
        }
    }

    static Stream<DType> denseFormats() {
        return Stream.of(DType.F32, DType.F16, DType.BF16);
    }

    private static void check(Weight weight, RandomWeights random) {
        int tokens = 9;
        float[] x = random.normal(tokens * weight.columns());
        float[] y = new float[tokens * weight.rows()];
        try (Team team = new Team(1)) {
            CpuMatrix matrix = new VectorKernels(Activations.F32).prepare(weight, team);
            multiply(matrix, x, tokens, y, 0, weight.rows());
            assertClose(weight, x, tokens, y);
            for (int fewer : new int[] {1, 2, 3, 6}) {
                assertPrefix(matrix, x, fewer, y);
            }
            assertSplitRows(matrix, x, y);
        }
    }

    private static void multiply(CpuMatrix matrix, float[] x, int tokens, float[] y, int from, int to) {
        MemorySegment arranged = Scratch.aligned((long) tokens * matrix.arrangedLength());
        for (int t = 0; t < tokens; t++) {
            matrix.arrange(x, t * matrix.columns(), arranged, (long) t * matrix.arrangedLength());
        }
        matrix.multiply(arranged, tokens, y, from, to);
    }

    /// Zeros are summed apart from scaled entries, so the rounding error grows with those parts and not only
    /// with their sums: hence the second term.
    private static void assertClose(Weight weight, float[] x, int tokens, float[] y) {
        int columns = weight.columns();
        float[] row = new float[columns];
        for (int r = 0; r < weight.rows(); r++) {
            weight.dequantizeRow(r, row, 0);
            for (int t = 0; t < tokens; t++) {
                double sum = 0;
                double magnitude = 0;
                for (int c = 0; c < columns; c++) {
                    double product = (double) row[c] * x[t * columns + c];
                    sum += product;
                    magnitude += Math.abs(product);
                }
                assertThat(Math.abs(y[t * weight.rows() + r] - sum))
                        .as("%d columns, row %d, token %d, seed %d", columns, r, t, SEED)
                        .isLessThanOrEqualTo(3e-6 * (magnitude + columns / 2.0));
            }
        }
    }

    /// A token's result is the same bits, however many tokens come with it.
    private static void assertPrefix(CpuMatrix matrix, float[] x, int tokens, float[] all) {
        float[] y = new float[tokens * matrix.rows()];
        multiply(matrix, x, tokens, y, 0, matrix.rows());
        assertThat(y).isEqualTo(java.util.Arrays.copyOf(all, y.length));
    }

    /// A row's result is the same bits, however rows are split over threads.
    private static void assertSplitRows(CpuMatrix matrix, float[] x, float[] all) {
        int cut = matrix.rows() / 2;
        float[] y = new float[matrix.rows()];
        multiply(matrix, x, 1, y, 0, cut);
        multiply(matrix, x, 1, y, cut, matrix.rows());
        assertThat(y).isEqualTo(java.util.Arrays.copyOf(all, y.length));
    }

    @Test
    void manyTokensInSeveralCacheBlocks() {
        RandomWeights random = new RandomWeights(SEED);
        Weight weight = random.lut(4, 6, 4096, 128, new Side(DType.F16, DType.F16, false, true));
        float[] x = random.normal(150 * 4096);
        float[] y = new float[150 * 6];
        try (Team team = new Team(1)) {
            multiply(new VectorKernels(Activations.F32).prepare(weight, team), x, 150, y, 0, 6);
        }
        assertClose(weight, x, 150, y);
    }
}
