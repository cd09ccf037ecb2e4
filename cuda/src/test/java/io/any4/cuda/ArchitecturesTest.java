package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// One random checkpoint per architecture on interpreted kernels, against the CPU: biases, norms of heads,
/// sliding windows, experts. F16 activations, so that a router hardly ever decides differently.
@Tag("shared")
class ArchitecturesTest {
    private static final int[] PROMPT = {3, 14, 15, 92, 65, 35};
    private static final int STEPS = 3;

    @ParameterizedTest
    @ValueSource(strings = {"llama2", "llama3.1", "llama3.2-tied", "mistral-sliding", "mixtral", "qwen2", "qwen3"})
    void logitsMatchTheCpu(String name) {
        Path model = shared().resolve("models").resolve("parity").resolve(name);
        List<float[]> expected;
        try (Team team = new Team(1);
                Device cpu = CpuDevice.scalar(team)) {
            expected = logits(model, cpu);
        }
        List<float[]> actual;
        try (Device device = new CudaDevice(() -> new SimGpu(KernelSet.F16_SM90), Activation.F16)) {
            actual = logits(model, device);
        }
        for (int i = 0; i < expected.size(); i++) {
            float[] row = expected.get(i);
            double[] wide = new double[row.length];
            Arrays.setAll(wide, j -> row[j]);
            assertThat(Oracle.relativeError(actual.get(i), wide))
                    .as("step %d", i)
                    .isLessThan(5e-3);
        }
    }

    private static Path shared() {
        Path shared = Path.of(System.getProperty("any4.shared", "absent"));
        assertThat(Files.isDirectory(shared))
                .as("reference data at %s: run with -Pshared -Dany4.shared=DIRECTORY", shared)
                .isTrue();
        return shared;
    }

    private static List<float[]> logits(Path model, Device device) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(PROMPT.length + STEPS);
            List<float[]> all = new ArrayList<>();
            all.add(logits(decoder, decoder.forward(PROMPT, cache), PROMPT.length - 1));
            for (int i = 0; i < STEPS; i++) {
                all.add(logits(decoder, decoder.forward(new int[] {40 + i}, cache), 0));
            }
            return all;
        }
    }

    private static float[] logits(Decoder decoder, Buffer hidden, int row) {
        float[] out = new float[decoder.config().vocabSize()];
        decoder.logits(hidden, row, 1, out);
        return out;
    }
}
