package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.DType;
import io.any4.tinygemm.RandomWeights.Side;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The vector provider's other operations against the oracle. The build runs this class once per vector width.
class VectorOperationsTest {
    private static final long SEED = 20250702;

    private final RandomWeights random = new RandomWeights(SEED);
    private final Kernels vector = new VectorKernels();
    private final Kernels scalar = new ScalarKernels();
    private final Team team = new Team(3);

    @BeforeAll
    static void theProviderIsTheOneAskedFor() {
        VectorBits.requested()
                .ifPresent(bits -> assertThat(new VectorKernels().name()).isEqualTo("vector %d bit".formatted(bits)));
    }

    @AfterEach
    void close() {
        team.close();
    }

    private static void assertClose(float[] actual, float[] expected, float tolerance) {
        assertThat(actual).hasSameSizeAs(expected);
        for (int i = 0; i < actual.length; i++) {
            float bound = tolerance * (1 + Math.abs(expected[i]));
            assertThat(actual[i]).as("element %d, seed %d", i, SEED).isCloseTo(expected[i], within(bound));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16, 31, 64, 257})
    void elementwiseOperations(int length) {
        float[] gate = random.normal(length);
        float[] up = random.normal(length);
        float[] expected = new float[length];
        float[] actual = new float[length];
        scalar.swiglu(gate, up, expected, 0, length);
        vector.swiglu(gate, up, actual, 0, length);
        assertClose(actual, expected, 1e-6f);
        float[] sum = gate.clone();
        scalar.add(gate, up, 0, length);
        vector.add(sum, up, 0, length);
        assertThat(sum).isEqualTo(gate);
    }

    @Test
    void gatesOfAnySizeStayFinite() {
        float[] gate = {-1e30f, -200, -100, -88, -87, -20, 0, 20, 87, 88, 89, 100, 200, 1e30f};
        float[] up = new float[gate.length];
        Arrays.fill(up, 1f);
        float[] expected = new float[gate.length];
        float[] actual = new float[gate.length];
        scalar.swiglu(gate, up, expected, 0, gate.length);
        vector.swiglu(gate, up, actual, 0, gate.length);
        assertClose(actual, expected, 1e-6f);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 5, 16, 48, 100})
    void norms(int width) {
        float[] x = random.normal(3 * width);
        float[] gain = random.normal(width);
        float[] expected = new float[3 * width];
        float[] actual = new float[3 * width];
        scalar.rmsNorm(x, gain, 1e-5f, width, expected, 0, 3);
        vector.rmsNorm(x, gain, 1e-5f, width, actual, 0, 3);
        assertClose(actual, expected, 2e-6f);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 6, 32, 48, 128})
    void rotations(int headDim) {
        int half = headDim / 2;
        float[] expected = random.normal(headDim + 3);
        float[] actual = expected.clone();
        float[] cos = random.normal(half);
        float[] sin = random.normal(half);
        scalar.rotate(expected, 3, cos, sin, half);
        vector.rotate(actual, 3, cos, sin, half);
        assertClose(actual, expected, 1e-6f);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 16, 0, 1, 0",
        "4, 4, 8, 0, 5, 3",
        "8, 2, 64, 0, 3, 40",
        "6, 2, 20, 7, 9, 0",
        "16, 2, 64, 5, 2, 33",
        "5, 1, 80, 0, 4, 17"
    })
    void attention(int heads, int kvHeads, int headDim, int window, int tokens, int firstPosition) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, window);
        int positions = firstPosition + tokens;
        float[] q = random.normal(tokens * shape.queryWidth());
        float[] k = random.normal(positions * shape.kvWidth());
        float[] v = random.normal(positions * shape.kvWidth());
        float[] expected = new float[q.length];
        float[] actual = new float[q.length];
        Attention oracle = new Attention(
                q, new CpuBuffer(k), new CpuBuffer(v), shape, Span.alone(tokens, firstPosition), expected);
        scalar.attention(oracle, 0, oracle.units());
        Attention tested =
                new Attention(q, new CpuBuffer(k), new CpuBuffer(v), shape, Span.alone(tokens, firstPosition), actual);
        vector.attention(tested, 0, tested.units());
        assertClose(actual, expected, 1e-5f);
    }

    @Test
    void aTokensAttentionDoesNotDependOnHowAPromptIsCut() {
        AttentionShape shape = new AttentionShape(8, 2, 32, 11);
        int tokens = 40;
        float[] q = random.normal(tokens * shape.queryWidth());
        float[] k = random.normal(tokens * shape.kvWidth());
        float[] v = random.normal(tokens * shape.kvWidth());
        float[] whole = new float[q.length];
        Attention all = new Attention(q, new CpuBuffer(k), new CpuBuffer(v), shape, Span.alone(tokens, 0), whole);
        vector.attention(all, 0, all.units());
        for (int t = 0; t < tokens; t++) {
            float[] out = new float[q.length];
            Attention one = new Attention(q, new CpuBuffer(k), new CpuBuffer(v), shape, new Span(t, 1, t), out);
            vector.attention(one, 0, one.units());
            int from = t * shape.queryWidth();
            int to = from + shape.queryWidth();
            assertThat(Arrays.copyOfRange(out, from, to)).isEqualTo(Arrays.copyOfRange(whole, from, to));
        }
    }

    @Test
    void aProductDoesNotDependOnTheThreadCount() {
        Weight weight = random.lut(4, 101, 300, 64, new Side(DType.F16, DType.F16, false, true));
        float[] x = random.normal(5 * 300);
        float[] one;
        try (Team alone = new Team(1)) {
            one = product(new CpuDevice(vector, alone, false, ""), weight, x);
        }
        assertThat(product(new CpuDevice(vector, team, false, ""), weight, x)).isEqualTo(one);
    }

    private static float[] product(CpuDevice device, Weight weight, float[] x) {
        Buffer input = device.allocate(x.length);
        device.write(x, input, 0);
        Buffer y = device.allocate(5L * weight.rows());
        device.matmul(device.prepare(weight), input, 5, y);
        float[] out = new float[5 * weight.rows()];
        device.read(y, 0, out, out.length);
        return out;
    }
}
