package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The shipped matrix kernels, interpreted, against a double-precision product of the weight as stored.
class GemmTest {
    /// bf16 activations and tables round by at most 2^-9; their errors average out over a row.
    private static final double BOUND = 4e-3;

    @ParameterizedTest
    @EnumSource(KernelSet.class)
    void everyFormatAndGroupSizeMatchesTheOracle(KernelSet kernels) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(kernels), kernels.activation())) {
            RandomWeights random = new RandomWeights(11);
            for (Kind kind : Kind.values()) {
                for (int group : new int[] {32, 64, 128, 256}) {
                    Weight weight = random.weight(kind, 37, 288, group);
                    assertThat(error(device, weight, random, 3))
                            .as("%s, group %d", kind, group)
                            .isLessThan(BOUND);
                }
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 8, 9, 16, 17, 32, 33, 70})
    void everyBatchMatchesTheOracle(int tokens) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16)) {
            RandomWeights random = new RandomWeights(12);
            for (Kind kind : new Kind[] {Kind.ANY4, Kind.INT4, Kind.INT8, Kind.DENSE}) {
                Weight weight = random.weight(kind, 20, 384, 128);
                assertThat(error(device, weight, random, tokens))
                        .as("%s, %d tokens", kind, tokens)
                        .isLessThan(BOUND);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {32, 96, 100, 1088, 2176})
    void everyWidthMatchesTheOracle(int columns) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM80), Activation.BF16)) {
            RandomWeights random = new RandomWeights(13);
            for (int group : new int[] {32, 64, 128}) {
                Weight weight = random.weight(Kind.ANY4, 17, columns, group);
                assertThat(error(device, weight, random, 2))
                        .as("%d columns, group %d", columns, group)
                        .isLessThan(BOUND);
            }
        }
    }

    @Test
    void aTokensResultDoesNotDependOnItsBatch() {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16)) {
            RandomWeights random = new RandomWeights(14);
            int columns = 4224; // more than one part of k
            Weight weight = random.weight(Kind.ANY4, 20, columns, 128);
            float[] x = random.activations(70 * columns);
            float[] all = product(device, weight, x, 70);
            for (int tokens : new int[] {1, 8, 12, 30}) {
                float[] some = product(device, weight, Arrays.copyOf(x, tokens * columns), tokens);
                assertThat(some).as("%d tokens", tokens).isEqualTo(Arrays.copyOf(all, tokens * 20));
            }
        }
    }

    private static double error(CudaDevice device, Weight weight, RandomWeights random, int tokens) {
        float[] x = random.activations(tokens * weight.columns());
        float[] y = product(device, weight, x, tokens);
        return Oracle.relativeError(y, Oracle.matmul(weight, x, tokens));
    }

    static float[] product(CudaDevice device, Weight weight, float[] x, int tokens) {
        Buffer in = device.allocate(x.length);
        float[] y = new float[tokens * weight.rows()];
        Arrays.fill(y, Float.NaN);
        Buffer out = device.allocate(y.length);
        device.write(x, in, 0);
        device.write(y, out, 0);
        device.matmul(device.prepare(weight), in, tokens, out);
        device.read(out, 0, y, y.length);
        return y;
    }
}
