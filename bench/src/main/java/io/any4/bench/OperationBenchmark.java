package io.any4.bench;

import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Span;
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

/// What a token of a [Llama1b] costs beside its matrix products, one operation each.
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
@SuppressWarnings("NullAway.Init") // JMH calls open()
public class OperationBenchmark {
    private static final AttentionShape SHAPE =
            new AttentionShape(Llama1b.HEADS, Llama1b.KV_WIDTH / Llama1b.HEAD_DIM, Llama1b.HEAD_DIM, 0);

    /// Positions before the token.
    @Param("2048")
    public int context;

    @Param({"1", "2"})
    public int threads;

    private final SplittableRandom random = new SplittableRandom(9);
    private final Sampling nucleus = new Sampling(0.8, 40, 0.95, 1);
    private int draws;
    private CpuDevice device;
    private Buffer hidden;
    private Buffer gain;
    private Buffer normed;
    private Buffer gate;
    private Buffer up;
    private Buffer frequencies;
    private Buffer keys;
    private Buffer values;
    private Buffer attended;
    private Buffer logits;
    private Buffer chosen;

    @Setup(Level.Trial)
    public void open() {
        device = CpuDevice.open(new CpuOptions(threads, true));
        hidden = filled(Llama1b.HIDDEN);
        gain = filled(Llama1b.HIDDEN);
        normed = filled(Llama1b.HIDDEN);
        gate = filled(Llama1b.INTERMEDIATE);
        up = filled(Llama1b.INTERMEDIATE);
        frequencies = filled(Llama1b.HEAD_DIM / 2);
        keys = filled((context + 1) * Llama1b.KV_WIDTH);
        values = filled((context + 1) * Llama1b.KV_WIDTH);
        attended = filled(Llama1b.HIDDEN);
        logits = filled(Llama1b.VOCABULARY);
        chosen = device.allocate(1);
    }

    private Buffer filled(int length) {
        Buffer buffer = device.allocate(length);
        device.write(randoms(length), buffer, 0);
        return buffer;
    }

    private float[] randoms(int length) {
        float[] numbers = new float[length];
        for (int i = 0; i < length; i++) {
            numbers[i] = random.nextFloat() - 0.5f;
        }
        return numbers;
    }

    @Benchmark
    public void rmsNorm() {
        device.rmsNorm(hidden, gain, 1e-5f, 1, Llama1b.HIDDEN, normed);
    }

    @Benchmark
    public void rope() {
        device.rope(hidden, frequencies, Llama1b.HEADS, Llama1b.HEAD_DIM, Span.alone(1), context);
    }

    @Benchmark
    public void attention() {
        device.attention(hidden, keys, values, SHAPE, Span.alone(1), context, attended);
    }

    @Benchmark
    public void swiglu() {
        device.swiglu(gate, up, Llama1b.INTERMEDIATE, gate);
    }

    @Benchmark
    public void add() {
        device.add(normed, attended, Llama1b.HIDDEN);
    }

    @Benchmark
    public void likeliestToken() {
        device.choose(logits, 0, Llama1b.VOCABULARY, Sampling.GREEDY, 0, chosen);
    }

    @Benchmark
    public void sampledToken() {
        device.choose(logits, 0, Llama1b.VOCABULARY, nucleus, draws++, chosen);
    }

    @TearDown
    public void close() {
        device.close();
    }
}
