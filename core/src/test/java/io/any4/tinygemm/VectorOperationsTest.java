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
    private final Kernels vector = new VectorKernels(Activations.F32);
    private final Kernels scalar = new ScalarKernels();
    private final Team team = new Team(3);

    @BeforeAll
    static void theProviderIsTheOneAskedFor() {
        VectorBits.requested()
                .ifPresent(bits -> assertThat(new VectorKernels(Activations.F32).name())
                        .isEqualTo("vector %d bit".formatted(bits)));
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
    @ValueSource(ints = {1, 3, 16, 31, 64, 100, 257})
    void largestOfPart(int length) {
        for (int place = 0; place < length; place++) {
            float[] x = random.normal(length + 2);
            x[0] = 1000;
            x[length + 1] = Float.NaN;
            assertThat(vector.max(x, 1, length + 1)).isEqualTo(scalar.max(x, 1, length + 1));
            x[1 + place] = 100;
            assertThat(vector.max(x, 1, length + 1)).as("place %d", place).isEqualTo(100);
            x[1 + place] = Float.NaN;
            assertThat(vector.max(x, 1, length + 1)).as("place %d", place).isNaN();
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 3, 16, 1023, 1024, 1025, 2100})
    void exponentialsOfDifferences(int length) {
        float[] x = random.normal(length + 2);
        x[length / 2 + 2] = 5;
        x[length + 1] = length == 1 ? 5 : Float.NEGATIVE_INFINITY;
        float[] expected = new float[length];
        float[] actual = new float[length];
        for (float factor : new float[] {Float.MIN_NORMAL, 0.5f, 1.4f, 50, Float.MAX_VALUE}) {
            scalar.exponentials(x, 2, 5, factor, expected, length);
            vector.exponentials(x, 2, 5, factor, actual, length);
            assertClose(actual, expected, 1e-6f);
        }
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
        float[] cos = random.normal(half + 5);
        float[] sin = random.normal(half + 5);
        scalar.rotate(expected, 3, cos, sin, 5, half);
        vector.rotate(actual, 3, cos, sin, 5, half);
        assertClose(actual, expected, 1e-6f);
    }

    @ParameterizedTest
    @CsvSource({
        "1, 1, 16, 0, 1, 0, F32",
        "4, 4, 8, 0, 5, 3, F16",
        "8, 2, 64, 0, 3, 40, BF16",
        "6, 2, 20, 7, 9, 0, F16",
        "16, 2, 64, 5, 2, 33, F32",
        "5, 1, 80, 0, 4, 17, BF16",
        "8, 2, 64, 0, 1, 1000, F16", // parts of the positions, some heads at a time
        "4, 4, 24, 0, 1, 4000, F32", // all heads at a time
        "8, 2, 40, 300, 3, 700, F16", // a window that begins within a part
        "4, 2, 32, 0, 70, 230, BF16" // blocks of tokens, more than one part
    })
    void attention(int heads, int kvHeads, int headDim, int window, int tokens, int firstPosition, DType dtype) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, window);
        int positions = firstPosition + tokens;
        float[] q = random.normal(tokens * shape.queryWidth());
        CpuRows k = cache(random.normal(positions * shape.kvWidth()), dtype);
        CpuRows v = cache(random.normal(positions * shape.kvWidth()), dtype);
        float[] expected = new float[q.length];
        float[] actual = new float[q.length];
        scalar.attention(new Attention().over(k, v, shape).of(q, Span.alone(tokens), firstPosition, expected), team);
        vector.attention(new Attention().over(k, v, shape).of(q, Span.alone(tokens), firstPosition, actual), team);
        assertClose(actual, expected, 1e-5f);
    }

    private static CpuRows cache(float[] values, DType dtype) {
        CpuRows cache = dtype == DType.F32 ? new CpuBuffer(values) : new CpuHalfBuffer(new short[values.length], dtype);
        cache.put(values, 0, values.length, 0);
        return cache;
    }

    @Test
    void largeScoresStayFinite() {
        AttentionShape shape = new AttentionShape(1, 1, 4, 0);
        float[] q = {1e4f, 0, 0, 0};
        CpuRows k = new CpuBuffer(new float[] {1e4f, 0, 0, 0, -1e4f, 0, 0, 0});
        CpuRows v = new CpuBuffer(new float[] {1, 2, 3, 4, 5, 6, 7, 8});
        float[] out = new float[4];
        vector.attention(new Attention().over(k, v, shape).of(q, Span.alone(1), 1, out), team);
        assertThat(out).containsExactly(1, 2, 3, 4);
    }

    @ParameterizedTest
    @CsvSource({"40, 11, F32", "40, 0, F16", "600, 0, BF16", "600, 290, F16"})
    void aTokensAttentionDoesNotDependOnHowAPromptIsCut(int tokens, int window, DType dtype) {
        AttentionShape shape = new AttentionShape(8, 2, 32, window);
        float[] q = random.normal(tokens * shape.queryWidth());
        CpuRows k = cache(random.normal(tokens * shape.kvWidth()), dtype);
        CpuRows v = cache(random.normal(tokens * shape.kvWidth()), dtype);
        float[] whole = new float[q.length];
        vector.attention(new Attention().over(k, v, shape).of(q, Span.alone(tokens), 0, whole), team);
        int width = shape.queryWidth();
        for (int t = 0; t < tokens; t += 1 + t % 5) {
            for (int count : new int[] {1, Math.min(3, tokens - t)}) {
                float[] own = Arrays.copyOfRange(q, t * width, (t + count) * width);
                float[] out = new float[own.length];
                vector.attention(new Attention().over(k, v, shape).of(own, Span.alone(count), t, out), team);
                assertThat(out).isEqualTo(Arrays.copyOfRange(whole, t * width, (t + count) * width));
            }
        }
    }

    @Test
    void attentionDoesNotDependOnTheThreadCount() {
        AttentionShape shape = new AttentionShape(8, 4, 32, 0);
        float[] q = random.normal(shape.queryWidth());
        CpuRows k = cache(random.normal(2100 * shape.kvWidth()), DType.F16);
        CpuRows v = cache(random.normal(2100 * shape.kvWidth()), DType.F16);
        float[] expected = new float[q.length];
        try (Team alone = new Team(1)) {
            vector.attention(
                    new Attention().over(k, v, shape).of(q, Span.alone(1), 2099, expected),
                    alone); // all heads of a part at a time
        }
        float[] actual = new float[q.length];
        vector.attention(
                new Attention().over(k, v, shape).of(q, Span.alone(1), 2099, actual),
                team); // one head of a part at a time
        assertThat(actual).isEqualTo(expected);
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
