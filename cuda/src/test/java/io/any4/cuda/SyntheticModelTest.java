package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A quantized model end to end on interpreted kernels, against the CPU: any4 weights, a head of its own.
class SyntheticModelTest {
    private static final int[] PROMPT = {1, 5, 9, 33, 2};

    @TempDir
    Path directory;

    @Test
    void quantizedLogitsMatchTheCpu() throws Exception {
        SyntheticModel.TINY.write(directory);
        float[] expected;
        try (Team team = new Team(1);
                Device cpu = CpuDevice.scalar(team)) {
            expected = logits(cpu);
        }
        for (KernelSet kernels : KernelSet.values()) {
            try (Device device = new CudaDevice(() -> new SimGpu(kernels), kernels.activation())) {
                double[] wide = new double[expected.length];
                Arrays.setAll(wide, i -> expected[i]);
                assertThat(Oracle.relativeError(logits(device), wide))
                        .as(kernels.name())
                        .isLessThan(kernels.activation() == Activation.BF16 ? 0.02 : 0.003);
            }
        }
    }

    private float[] logits(Device device) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(16);
            decoder.forward(PROMPT, cache);
            float[] out = new float[SyntheticModel.TINY.vocabulary()];
            decoder.logits(decoder.forward(new int[] {7}, cache), 0, 1, out);
            return out;
        }
    }
}
