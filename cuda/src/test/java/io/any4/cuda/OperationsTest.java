package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tensor.DType;
import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Span;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every operation but the matrix product, interpreted, against the scalar CPU kernels.
class OperationsTest {
    private static Team team;
    private static Device cpu;
    private static Device gpu;

    private final RandomWeights random = new RandomWeights(31);

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
    @CsvSource({"64, 3", "100, 2", "101, 2", "700, 1", "4096, 1"})
    void rmsNorm(int width, int rows) {
        float[] x = random.activations(rows * width);
        float[] gain = random.activations(width);
        same(1e-5, rows * width, device -> {
            Buffer buffer = buffer(device, x);
            device.rmsNorm(buffer, buffer(device, gain), 1e-5f, rows, width, buffer);
            return buffer;
        });
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1, 1000, 100_000})
    void rope(int position) {
        float[] x = random.activations(3 * 5 * 64);
        float[] frequencies = new float[32];
        for (int i = 0; i < frequencies.length; i++) {
            frequencies[i] = (float) Math.pow(10_000, -i / 32.0);
        }
        same(2e-5, x.length, device -> {
            Buffer buffer = buffer(device, x);
            device.rope(buffer, buffer(device, frequencies), 5, 64, new Span(1, 2), position);
            return buffer;
        });
    }

    @ParameterizedTest
    @CsvSource({
        "8, 8, 64, 0, 1, 0",
        "8, 8, 64, 0, 1, 150",
        "8, 2, 128, 0, 1, 300",
        "6, 2, 64, 0, 4, 126",
        "10, 2, 32, 0, 3, 5",
        "4, 4, 8, 0, 5, 130",
        "3, 1, 256, 0, 2, 140",
        "4, 2, 96, 0, 2, 20",
        "4, 2, 20, 16, 6, 30",
        "4, 1, 64, 140, 3, 290"
    })
    void attention(int heads, int kvHeads, int headDim, int window, int tokens, int position) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, window);
        int positions = position + tokens;
        float[] q = random.activations(tokens * shape.queryWidth());
        float[] keys = random.activations(positions * shape.kvWidth());
        float[] values = random.activations(positions * shape.kvWidth());
        same(1e-5, q.length, device -> {
            Buffer out = device.allocate(q.length);
            device.attention(
                    buffer(device, q),
                    buffer(device, keys),
                    buffer(device, values),
                    shape,
                    Span.alone(tokens),
                    position,
                    out);
            return out;
        });
    }

    /// Keys and values are rounded where they are stored, turned keys after the turn.
    @ParameterizedTest
    @CsvSource({
        "F16, 8, 2, 128, 1, 200",
        "BF16, 8, 2, 64, 3, 130",
        "BF16, 4, 4, 20, 2, 5",
        "F16, 3, 1, 256, 2, 7",
        "BF16, 6, 6, 96, 1, 0"
    })
    void cachesOfSixteenBits(DType dtype, int heads, int kvHeads, int headDim, int tokens, int position) {
        AttentionShape shape = new AttentionShape(heads, kvHeads, headDim, 0);
        Span span = Span.alone(tokens);
        float[] earlier = random.activations(position * shape.kvWidth());
        float[] q = random.activations(tokens * shape.queryWidth());
        float[] k = random.activations(tokens * shape.kvWidth());
        float[] frequencies = random.activations(headDim / 2);
        for (boolean together : new boolean[] {true, false}) {
            same(dtype == DType.F16 ? 1e-4 : 1e-3, q.length, device -> {
                Buffer keys = device.allocate(dtype, (long) (position + tokens) * shape.kvWidth());
                Buffer values = device.allocate(dtype, (long) (position + tokens) * shape.kvWidth());
                device.write(earlier, keys, 0);
                device.write(earlier, values, 0);
                Buffer turning = buffer(device, frequencies);
                Buffer queries = buffer(device, q);
                Buffer newKeys = buffer(device, k);
                Buffer newValues = buffer(device, k);
                device.rope(queries, turning, heads, headDim, span, position);
                device.rope(newKeys, turning, kvHeads, headDim, span, position);
                if (!together) {
                    read(device, newKeys, 1); // what is read in between is not one launch
                }
                device.store(newKeys, shape.kvWidth(), keys, span, position);
                device.store(newValues, shape.kvWidth(), values, span, position);
                Buffer out = device.allocate(q.length);
                device.attention(queries, keys, values, shape, span, position, out);
                return out;
            });
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16", "BF16"})
    void bufferElementsAreRoundedAsOnTheCpu(DType dtype) {
        float[] values = random.activations(77);
        values[3] = 1e30f;
        values[4] = -1e-30f;
        float[] expected = stored(cpu, dtype, values);
        assertThat(stored(gpu, dtype, values)).isEqualTo(expected);
    }

    /// Written by the host, copied by a kernel.
    private static float[] stored(Device device, DType dtype, float[] values) {
        Buffer cache = device.allocate(dtype, 3L * values.length);
        device.write(values, cache, values.length);
        device.store(buffer(device, values), values.length, cache, Span.alone(1), 2);
        return read(device, cache, 3 * values.length);
    }

    @Test
    void attentionOfATokenDoesNotDependOnTheOthers() {
        AttentionShape shape = new AttentionShape(4, 2, 32, 0);
        Buffer keys = buffer(gpu, random.activations(300 * shape.kvWidth()));
        Buffer values = buffer(gpu, random.activations(300 * shape.kvWidth()));
        float[] q = random.activations(200 * shape.queryWidth());
        Buffer all = gpu.allocate(q.length);
        gpu.attention(buffer(gpu, q), keys, values, shape, Span.alone(200), 100, all);
        float[] together = read(gpu, all, q.length);
        for (int token : new int[] {0, 27, 28, 199}) {
            Buffer out = gpu.allocate(q.length);
            gpu.attention(buffer(gpu, q), keys, values, shape, new Span(token, 1), 100 + token, out);
            int from = token * shape.queryWidth();
            int to = from + shape.queryWidth();
            assertThat(Arrays.copyOfRange(read(gpu, out, q.length), from, to))
                    .as("token %d", token)
                    .isEqualTo(Arrays.copyOfRange(together, from, to));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 255, 1000, 5000})
    void swigluAndAdd(int length) {
        float[] gate = random.activations(length);
        float[] up = random.activations(length);
        same(1e-6, length, device -> {
            Buffer g = buffer(device, gate);
            Buffer u = buffer(device, up);
            device.swiglu(g, u, length, g);
            device.add(g, u, length);
            return g;
        });
    }

    @Test
    void biasGatherScatterStore() {
        float[] x = random.activations(6 * 300);
        float[] bias = random.activations(300);
        same(1e-6, 9 * 300, device -> {
            Buffer buffer = buffer(device, x);
            device.addBias(buffer, buffer(device, bias), 6, 300);
            Buffer some = device.allocate(3 * 300);
            device.gather(buffer, new int[] {5, 0, 2}, 300, some);
            device.scatterAdd(some, new int[] {1, 4, 3}, new float[] {.5f, -2, 1}, 300, buffer);
            Buffer cache = device.allocate(9 * 300);
            device.store(buffer, 300, cache, new Span(1, 5), 4);
            device.store(some, 300, cache, Span.alone(3), 0);
            return cache;
        });
    }

    @ParameterizedTest
    @EnumSource(Kind.class)
    void embedding(Kind kind) {
        Weight table = random.weight(kind, 50, 160, 32);
        int[] ids = {49, 0, 17, 8};
        same(4e-3, ids.length * 160, device -> {
            Buffer out = device.allocate(ids.length * 160L);
            device.embed(device.prepare(table), ids, out);
            return out;
        });
    }

    private static void same(double bound, int count, Function<Device, Buffer> work) {
        float[] expected = read(cpu, work.apply(cpu), count);
        double[] wide = new double[count];
        Arrays.setAll(wide, i -> expected[i]);
        assertThat(Oracle.relativeError(read(gpu, work.apply(gpu), count), wide))
                .isLessThan(bound);
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
