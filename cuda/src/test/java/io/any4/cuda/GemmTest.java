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
    /// bf16 activations and weights round by at most 2^-9; their errors average out over a row.
    private static final double BOUND = 4e-3;

    /// Activations of coded weights have 16 bits of a group's largest, tables 14 of their range, scales at least 11.
    private static final double CODED_BOUND = 4e-4;

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
                            .isLessThan(kind == Kind.DENSE ? BOUND : CODED_BOUND);
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

    /// A few activations a thousand times larger than all others, as language models have them, on rows of which half
    /// have no weight there: what is left of the others in the group of a large one still gives the row.
    @ParameterizedTest
    @ValueSource(ints = {32, 64, 128})
    void largeActivationsDoNotDrownTheOthers(int group) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16)) {
            RandomWeights random = new RandomWeights(15);
            int columns = 1024;
            Weight weight = random.weight(Kind.ANY4, 32, columns, group);
            float[] x = random.activations(columns);
            for (int i = 5; i < columns; i += 400) {
                x[i] *= 1000;
            }
            assertThat(Oracle.relativeError(product(device, weight, x, 1), Oracle.matmul(weight, x, 1)))
                    .isLessThan(BOUND);
        }
    }

    /// What is no number, or infinite, shows in the results of its token alone.
    @ParameterizedTest
    @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
    void whatIsNoNumberShowsInItsToken(float bad) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16)) {
            RandomWeights random = new RandomWeights(16);
            Weight weight = random.weight(Kind.ANY4, 16, 256, 64);
            float[] x = random.activations(3 * 256);
            float[] clean = product(device, weight, x, 3);
            x[256 + 70] = bad;
            float[] y = product(device, weight, x, 3);
            for (int i = 0; i < y.length; i++) {
                if (i / 16 == 1) {
                    assertThat(Float.isFinite(y[i])).as("row %d", i % 16).isFalse();
                } else {
                    assertThat(y[i]).isEqualTo(clean[i]);
                }
            }
        }
    }

    /// Zeros, and numbers too small for a step, give zeros.
    @ParameterizedTest
    @ValueSource(floats = {0, 1e-44f})
    void vanishingActivationsGiveZeros(float tiny) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16)) {
            float[] x = new float[256];
            Arrays.fill(x, tiny);
            Weight weight = new RandomWeights(17).weight(Kind.INT8, 16, 256, 64);
            for (float y : product(device, weight, x, 1)) {
                assertThat(Math.abs(y)).isLessThan(1e-38f);
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
