package io.any4.bench;

import io.any4.tinygemm.Activations;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/// One matrix product, as a model asks for it.
///
/// Weights `in memory` are so many that none of them is in a cache when its turn comes; `in cache` there is
/// one matrix. Before anything is measured, the product is compared with one in double precision.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@SuppressWarnings("NullAway.Init") // JMH calls open()
public class ProductBenchmark {
    /// More than any last-level cache holds.
    private static final long MEMORY_BYTES = 600L << 20;

    private static final int CHECKED_ROWS = 64;

    @Param({"any4", "any4s", "any3", "any2", "nf4", "int4", "int8", "bf16", "f16"})
    public String format = "";

    /// Rows (output features) by columns (input features).
    @Param({"2048x2048", "8192x2048", "2048x8192"})
    public String shape = "";

    @Param("1")
    public int tokens;

    @Param({"1", "2"})
    public int threads;

    @Param({"memory", "cache"})
    public String weights = "";

    @Param({"F32", "INT14", "INT8"})
    public Activations activations = Activations.F32;

    private CpuDevice device;
    private final List<Matrix> matrices = new ArrayList<>();
    private Buffer x;
    private Buffer y;
    private int next;

    /// Bytes of one weight of these parameters, as the kernels read it.
    static long weightBytes(String format, String shape) {
        return weight(format, shape).bytes();
    }

    private static Weight weight(String format, String shape) {
        String[] sides = shape.split("x", 2);
        int group = format.endsWith("s") ? 32 : 128;
        return RandomWeight.of(format, Integer.parseInt(sides[0]), Integer.parseInt(sides[1]), group);
    }

    @Setup(Level.Trial)
    public void open() {
        device = CpuDevice.open(new CpuOptions(threads, true, null, activations));
        Weight first = weight(format, shape);
        long copies = weights.equals("cache") ? 1 : Math.ceilDiv(MEMORY_BYTES, first.bytes());
        matrices.add(device.prepare(first));
        while (matrices.size() < copies) {
            matrices.add(device.prepare(weight(format, shape)));
        }
        float[] inputs = new float[tokens * first.columns()];
        SplittableRandom random = new SplittableRandom(7);
        for (int i = 0; i < inputs.length; i++) {
            inputs[i] = random.nextFloat() - 0.5f;
        }
        x = device.allocate(inputs.length);
        device.write(inputs, x, 0);
        y = device.allocate((long) tokens * first.rows());
        check(first, inputs);
    }

    private void check(Weight weight, float[] inputs) {
        device.matmul(matrices.getFirst(), x, tokens, y);
        float[] results = new float[tokens * weight.rows()];
        device.read(y, 0, results, results.length);
        float[] row = new float[weight.columns()];
        for (int r = 0; r < Math.min(CHECKED_ROWS, weight.rows()); r++) {
            weight.dequantizeRow(r, row, 0);
            for (int t = 0; t < tokens; t++) {
                double sum = 0;
                double size = 0;
                for (int c = 0; c < row.length; c++) {
                    double term = (double) row[c] * inputs[t * row.length + c];
                    sum += term;
                    size += Math.abs(term);
                }
                double tolerance = Tolerance.of(activations);
                double got = results[t * weight.rows() + r];
                if (!(Math.abs(got - sum) <= tolerance * size)) {
                    throw new IllegalStateException(
                            "%s %s: row %d of token %d is %s instead of %s".formatted(format, shape, r, t, got, sum));
                }
            }
        }
    }

    @Benchmark
    public void product() {
        device.matmul(matrices.get(next), x, tokens, y);
        next = next + 1 == matrices.size() ? 0 : next + 1;
    }

    @TearDown
    public void close() {
        device.close();
        matrices.clear();
    }
}
