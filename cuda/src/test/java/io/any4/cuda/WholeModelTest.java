package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/// The demo model through the same decoder on the CPU and on interpreted kernels: prompt, single steps,
/// replayed graphs.
class WholeModelTest {
    private static final Path MODEL = Path.of("..", "models", "demo");
    private static final int PROMPT = 5;
    private static final int STEPS = 5;

    @Test
    void logitsMatchTheCpu() {
        SimGpu gpu = new SimGpu(KernelSet.BF16_SM90);
        List<float[]> expected;
        try (Team team = new Team(1);
                Device cpu = CpuDevice.scalar(team)) {
            expected = logits(cpu);
        }
        List<float[]> actual;
        try (Device device = new CudaDevice(() -> gpu, Activation.BF16)) {
            actual = logits(device);
        }
        for (int i = 0; i < expected.size(); i++) {
            double[] wide = new double[expected.get(i).length];
            float[] row = expected.get(i);
            Arrays.setAll(wide, j -> row[j]);
            assertThat(Oracle.relativeError(actual.get(i), wide))
                    .as("step %d", i)
                    .isLessThan(0.02);
        }
        assertThat(gpu.replays()).as("steps after the second repeat one graph").isEqualTo(STEPS - 1);
    }

    private static List<float[]> logits(Device device) {
        try (Checkpoint checkpoint = Checkpoint.open(MODEL)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(PROMPT + STEPS);
            List<float[]> all = new ArrayList<>();
            int[] prompt = new int[PROMPT];
            Arrays.setAll(prompt, i -> 20 + 13 * i);
            all.add(logits(decoder, decoder.forward(prompt, cache), PROMPT - 1));
            for (int i = 0; i < STEPS; i++) {
                all.add(logits(decoder, decoder.forward(new int[] {50 + i}, cache), 0));
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
