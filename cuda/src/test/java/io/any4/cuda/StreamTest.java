package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Kernels that stream weights give the same bits as those that load them to registers, however a chip cuts the work
/// up.
class StreamTest {
    private static final Chip ONE = new Chip(1, 228 << 10);
    private static final Chip FOUR = new Chip(4, 228 << 10);
    private static final Chip HOPPER = new Chip(132, 228 << 10);
    private final RandomWeights random = new RandomWeights(61);

    /// Columns in three parts of unequal length.
    @ParameterizedTest
    @CsvSource({
        "ANY4, 32, 1, 4480",
        "ANY4, 64, 9, 8320",
        "ANY4, 128, 1, 8448",
        "NF4, 64, 8, 8320",
        "INT4, 128, 3, 8448",
        "ANY4, 32, 6, 4480",
        "MX4, 32, 30, 2240",
        "ANY4, 64, 16, 8320",
        "ANY4, 128, 13, 1024",
        "ANY4, 64, 25, 8320",
        "INT4, 128, 20, 4224",
        "INT8, 64, 11, 4480",
        "INT8, 128, 2, 4480",
        "DENSE, 1, 12, 2240"
    })
    void everyCutGivesTheSameBits(Kind kind, int group, int tokens, int columns) {
        Weight weight = random.weight(kind, 40, columns, group);
        float[] x = random.activations(tokens * weight.columns());
        float[] expected = product(KernelSet.BF16_SM80, ONE, weight, x, tokens);
        assertThat(Oracle.relativeError(expected, Oracle.matmul(weight, x, tokens)))
                .isLessThan(4e-3);
        for (Chip chip : List.of(ONE, FOUR, HOPPER)) {
            assertThat(product(KernelSet.BF16_SM90, chip, weight, x, tokens))
                    .as("%s", chip)
                    .isEqualTo(expected);
        }
    }

    @Test
    void wideBatchesGiveTheSameBits() {
        Weight weight = random.weight(Kind.ANY4, 80, 4352, 128);
        for (int tokens : new int[] {32, 64}) {
            float[] x = random.activations(tokens * weight.columns());
            assertThat(product(KernelSet.BF16_SM90, ONE, weight, x, tokens))
                    .as("%d tokens", tokens)
                    .isEqualTo(product(KernelSet.BF16_SM80, ONE, weight, x, tokens));
        }
    }

    /// Shared tiles use the same memory in every launch.
    @Test
    void sharedTilesAreRightAgainAndAgain() {
        Weight first = random.weight(Kind.ANY4, 33, 12288, 128);
        Weight second = random.weight(Kind.ANY4, 150, 4096, 32);
        float[] x = random.activations(12288);
        try (CudaDevice device = device(KernelSet.BF16_SM90, FOUR)) {
            for (int round = 0; round < 2; round++) {
                for (Weight weight : List.of(first, second)) {
                    float[] in = Arrays.copyOf(x, weight.columns());
                    assertThat(Oracle.relativeError(
                                    GemmTest.product(device, weight, in, 1), Oracle.matmul(weight, in, 1)))
                            .isLessThan(4e-3);
                }
            }
        }
    }

    /// Queries, keys and values in one launch, whose blocks share tiles across the matrices.
    @ParameterizedTest
    @CsvSource({"BF16_SM90, 1", "F16_SM90, 1", "BF16_SM90, 6"})
    void matricesInOneLaunchKeepApart(KernelSet kernels, int tokens) {
        List<Weight> weights = List.of(
                random.weight(Kind.ANY4, 40, 6144, 128),
                random.weight(Kind.ANY4, 8, 6144, 128),
                random.weight(Kind.ANY4, 20, 6144, 128));
        float[] x = random.activations(tokens * 6144);
        try (CudaDevice device = device(kernels, SimGpu.SMALL)) {
            Buffer in = device.allocate(x.length);
            device.write(x, in, 0);
            List<Buffer> outs = weights.stream()
                    .map(w -> device.allocate(tokens * w.rows()))
                    .toList();
            for (int i = 0; i < weights.size(); i++) {
                device.matmul(device.prepare(weights.get(i)), in, tokens, outs.get(i));
            }
            for (int i = 0; i < weights.size(); i++) {
                float[] y = new float[tokens * weights.get(i).rows()];
                device.read(outs.get(i), 0, y, y.length);
                assertThat(Oracle.relativeError(y, Oracle.matmul(weights.get(i), x, tokens)))
                        .as("matrix %d", i)
                        .isLessThan(4e-3);
            }
        }
    }

    private static float[] product(KernelSet kernels, Chip chip, Weight weight, float[] x, int tokens) {
        try (CudaDevice device = device(kernels, chip)) {
            return GemmTest.product(device, weight, x, tokens);
        }
    }

    private static CudaDevice device(KernelSet kernels, Chip chip) {
        return new CudaDevice(() -> new SimGpu(kernels, chip), kernels.activation());
    }
}
