package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import com.sun.management.ThreadMXBean;
import io.any4.Any4;
import io.any4.checkpoint.Checkpoint;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.KvFormat;
import io.any4.model.NextToken;
import io.any4.model.TinyModel;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/// Once its code is compiled, a token allocates nothing on the Java heap, on no thread.
///
/// Vectors are objects until then, so rounds of tokens are run until one is free of them. None is where anything is
/// made for every token. Has a Java process of its own, in which no other test has told the compiler otherwise.
class AllocationTest {
    private static final Path DEMO = Path.of("..", "models", "demo");

    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();

    /// Tokens of a round: less than a block of a quantized cache, which is another thing to make.
    private static final int TOKENS = 50;

    private static final int MOST_ROUNDS = 400;

    /// There are none.
    private static final long SMALLEST_OBJECT = 16;

    @TempDir
    Path directory;

    @ParameterizedTest
    @CsvSource({
        "F32, 0, 0, 1, f32",
        "F32, 0.8, 20, 0.9, f16",
        "F32, 0.8, 0, 1, int8",
        "INT14, 0, 0, 1, f16",
        "INT14, 0.8, 0, 0.9, bf16",
        "INT8, 0, 0, 1, f16"
    })
    void ofAQuantizedModel(Activations activations, double temperature, int topK, double topP, String cache) {
        assumeThat(CpuDevice.obstacle(activations)).isEmpty();
        Path model = directory.resolve("any4");
        Any4.quantize(DEMO, model, "any4,group-size=64");
        allocatesNothing(model, activations, new Sampling(temperature, topK, topP, 3), cache);
    }

    @Test
    void ofADenseModel() {
        allocatesNothing(DEMO, Activations.F32, Sampling.of(1, 4), "f32");
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void ofAnyArchitecture(Architecture architecture) throws IOException {
        allocatesNothing(new TinyModel(architecture, 8).write(directory), Activations.F32, Sampling.GREEDY, "f32");
    }

    private static void allocatesNothing(Path model, Activations activations, Sampling sampling, String format) {
        try (Team team = new Team(2);
                CpuDevice device = new CpuDevice(new VectorKernels(activations), team, false, "");
                Checkpoint checkpoint = Checkpoint.open(model)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            decoder.cacheFormat(KvFormat.parse(format));
            KvCache cache = decoder.newCache(TOKENS + 1);
            NextToken next = decoder.nextToken(sampling);
            int[] first = {5};
            assertNothing(team, "chosen", cache, () -> {
                next.choose(cache.length() == 0 ? decoder.forward(first, cache) : decoder.forward(next, cache), 0);
                next.id();
            });
            float[] logits = new float[decoder.config().vocabSize()];
            assertNothing(team, "given", cache, () -> decoder.logits(decoder.forward(first, cache), 0, 1, logits));
        }
    }

    private static void assertNothing(Team team, String which, KvCache cache, Runnable token) {
        long[] threads = new long[team.threads()];
        for (int i = 1; i < threads.length; i++) {
            threads[i] = team.members().get(i - 1).threadId();
        }
        threads[0] = Thread.currentThread().threadId();
        long least = Long.MAX_VALUE;
        for (int round = 0; round < MOST_ROUNDS && least >= SMALLEST_OBJECT * TOKENS; round++) {
            cache.truncate(0);
            long before = allocated(threads);
            for (int i = 0; i < TOKENS; i++) {
                token.run();
            }
            least = Math.min(least, allocated(threads) - before);
        }
        assertThat(least / (double) TOKENS).as("bytes of a %s token", which).isLessThan(SMALLEST_OBJECT);
    }

    private static long allocated(long[] threads) {
        long bytes = 0;
        for (long thread : threads) {
            bytes += THREADS.getThreadAllocatedBytes(thread);
        }
        return bytes;
    }
}
