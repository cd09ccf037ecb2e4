package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.MatrixStack;
import io.any4.tinygemm.Routes;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Routing and products with chosen experts, interpreted, against the scalar CPU kernels.
class RoutedProductTest {
    private static Team team;
    private static Device cpu;
    private static Device gpu;

    private final RandomWeights random = new RandomWeights(91);

    @BeforeAll
    static void open() {
        team = new Team(1);
        cpu = CpuDevice.scalar(team);
        gpu = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16);
    }

    @AfterAll
    static void close() {
        gpu.close();
        cpu.close();
        team.close();
    }

    @ParameterizedTest
    @CsvSource({"1, 8, 2", "3, 5, 1", "9, 40, 4", "2, 256, 8", "2, 3, 3"})
    void routesToTheBestExperts(int tokens, int experts, int perToken) {
        float[] scores = random.activations(tokens * experts);
        scores[0] = scores[experts - 1]; // of equals the lower
        int count = 2 * tokens * perToken;
        float[] expected = routed(cpu, scores, tokens, experts, perToken);
        float[] actual = routed(gpu, scores, tokens, experts, perToken);
        for (int i = 0; i < count; i++) {
            assertThat(actual[i]).as("number %d", i).isCloseTo(expected[i], within(1e-6f));
        }
    }

    private static float[] routed(Device device, float[] scores, int tokens, int experts, int perToken) {
        Routes routes = new Routes(device.allocate(2L * tokens * perToken), tokens, perToken);
        device.route(buffer(device, scores), experts, routes);
        return read(device, routes.pairs(), 2 * tokens * perToken);
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void everyFormat(Kind kind) {
        List<Weight> weights = new ArrayList<>();
        for (int e = 0; e < 4; e++) {
            weights.add(random.weight(kind, 40, 160, 32));
        }
        same(weights, 3, 2);
    }

    @ParameterizedTest
    @CsvSource({"1, 1, 64", "1, 2, 128", "2, 3, 128", "8, 2, 32", "11, 2, 64"})
    void tokensChoicesAndGroups(int tokens, int perToken, int group) {
        List<Weight> weights = new ArrayList<>();
        for (int e = 0; e < 6; e++) {
            weights.add(random.weight(Kind.ANY4, 24, 9 * 128, group));
        }
        same(weights, tokens, perToken);
    }

    @Test
    void expertsOfDifferentFormats() {
        List<Weight> weights = new ArrayList<>();
        for (Kind kind : new Kind[] {Kind.ANY4, Kind.INT8, Kind.ANY4, Kind.DENSE}) {
            weights.add(random.weight(kind, 16, 128, 64));
        }
        same(weights, 5, 2);
    }

    /// A whole small network: inputs that the choices of a token share, then inputs of their own, then their sum.
    private void same(List<Weight> weights, int tokens, int perToken) {
        float[] scores = random.activations(tokens * weights.size());
        int columns = weights.getFirst().columns();
        float[] x = random.activations(tokens * perToken * columns);
        for (boolean shared : new boolean[] {true, false}) {
            int slots = tokens * perToken * weights.getFirst().rows();
            float[] expected = products(cpu, weights, scores, tokens, perToken, shared, x);
            float[] actual = products(gpu, weights, scores, tokens, perToken, shared, x);
            check(Arrays.copyOf(actual, slots), Arrays.copyOf(expected, slots), 4e-3);
            check(actual, expected, 4e-3);
        }
    }

    private static void check(float[] actual, float[] expected, double bound) {
        double[] wide = new double[expected.length];
        Arrays.setAll(wide, i -> expected[i]);
        assertThat(Oracle.relativeError(actual, wide)).isLessThan(bound);
    }

    /// The products, then their weighted sums on top of ones.
    private static float[] products(
            Device device, List<Weight> weights, float[] scores, int tokens, int perToken, boolean shared, float[] x) {
        List<Matrix> matrices = weights.stream().map(device::prepare).toList();
        MatrixStack stack = device.stack(matrices);
        Routes routes = new Routes(device.allocate(2L * tokens * perToken), tokens, perToken);
        device.route(buffer(device, scores), weights.size(), routes);
        Buffer y = device.allocate((long) routes.slots() * stack.rows());
        device.matmul(stack, routes, shared, buffer(device, x), y);
        float[] ones = new float[tokens * stack.rows()];
        Arrays.fill(ones, 1);
        Buffer sum = buffer(device, ones);
        device.combine(y, routes, stack.rows(), sum);
        float[] all = Arrays.copyOf(read(device, y, (int) y.length()), (int) y.length() + ones.length);
        System.arraycopy(read(device, sum, ones.length), 0, all, (int) y.length(), ones.length);
        return all;
    }

    private static Buffer buffer(Device device, float[] values) {
        Buffer buffer = device.allocate(values.length);
        device.write(values, buffer, 0);
        return buffer;
    }

    private static float[] read(Device device, Buffer buffer, int count) {
        float[] out = new float[count];
        device.read(buffer, 0, out, count);
        return out;
    }
}
