package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.any4.Any4;
import io.any4.checkpoint.Checkpoint;
import io.any4.tinygemm.Activations;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import java.nio.file.Path;
import java.util.stream.IntStream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The bundled model, quantized, with activations rounded to integers.
class IntegerActivationsTest {
    private static final Path DEMO = Path.of("..", "models", "demo");
    private static final int[] IDS =
            IntStream.range(0, 40).map(i -> 17 * i % 1000 + 5).toArray();

    @TempDir
    Path directory;

    /// @param tolerance relative to the size of logits
    @ParameterizedTest
    @CsvSource({"INT14, 1e-3", "INT8, 3e-2"})
    void logitsDoNotDependOnThreadsOrOnHowThePromptIsCut(Activations activations, double tolerance) {
        assumeThat(CpuDevice.obstacle(activations)).isEmpty();
        Path model = directory.resolve("any4");
        Any4.quantize(DEMO, model, "any4,group-size=64");
        float[][] whole = logits(model, 1, activations, IDS.length);
        assertThat(logits(model, 2, activations, IDS.length)).isDeepEqualTo(whole);
        assertThat(logits(model, 2, activations, 1)).isDeepEqualTo(whole);
        assertThat(logits(model, 2, activations, 13)).isDeepEqualTo(whole);

        float[][] floats = logits(model, 2, Activations.F32, IDS.length);
        double difference = 0;
        double size = 0;
        for (int t = 0; t < IDS.length; t++) {
            for (int v = 0; v < floats[t].length; v++) {
                difference += Math.pow(floats[t][v] - whole[t][v], 2);
                size += Math.pow(floats[t][v], 2);
            }
        }
        assertThat(Math.sqrt(difference / size)).isPositive().isLessThan(tolerance);
    }

    private static float[][] logits(Path model, int threads, Activations activations, int chunk) {
        try (Checkpoint checkpoint = Checkpoint.open(model);
                CpuDevice device = CpuDevice.open(new CpuOptions(threads, true, null, activations))) {
            return Logits.inChunks(Decoder.load(checkpoint, device), IDS, chunk);
        }
    }
}
