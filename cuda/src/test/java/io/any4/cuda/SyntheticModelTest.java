package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.JsonFiles;
import io.any4.engine.GenerationOptions;
import io.any4.engine.Generator;
import io.any4.engine.TokenListener;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.KvFormat;
import io.any4.model.NextToken;
import io.any4.quant.InputTransforms;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Rotation;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Team;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.node.ObjectNode;

/// Quantized models end to end on interpreted kernels, against the CPU: any4 weights, a head of its own, experts,
/// rotated inputs, narrow caches; and that a step of generation is one graph.
class SyntheticModelTest {
    private static final int[] PROMPT = {1, 5, 9, 33, 2};
    private static final int STEPS = 4;

    @TempDir
    Path directory;

    @Test
    void quantizedLogitsMatchTheCpu() throws Exception {
        SyntheticModel.TINY.write(directory);
        double[] expected = onCpu(KvFormat.F32);
        for (KernelSet kernels : KernelSet.values()) {
            double bound = kernels.activation() == Activation.BF16 ? 0.02 : 0.003;
            assertThat(Oracle.relativeError(onGpu(kernels, KvFormat.F32), expected))
                    .as(kernels.name())
                    .isLessThan(bound);
        }
    }

    @Test
    void expertsAreChosenOnTheGpu() throws Exception {
        SyntheticModel.TINY_EXPERTS.write(directory);
        double[] expected = onCpu(KvFormat.F32);
        for (KernelSet kernels : new KernelSet[] {KernelSet.F16_SM80, KernelSet.F16_SM90}) {
            assertThat(Oracle.relativeError(onGpu(kernels, KvFormat.F32), expected))
                    .as(kernels.name())
                    .isLessThan(0.003);
        }
    }

    @Test
    void inputsAreRotatedOnTheGpu() throws Exception {
        writeRotated(SyntheticModel.TINY);
        assertThat(Oracle.relativeError(onGpu(KernelSet.F16_SM90, KvFormat.F32), onCpu(KvFormat.F32)))
                .isLessThan(0.003);
    }

    /// Quantized ones travel to the host and back.
    @ParameterizedTest
    @ValueSource(strings = {"bf16", "f16", "any4"})
    void keysAndValuesAreHeldInFewerBits(String format) throws Exception {
        SyntheticModel.TINY.write(directory);
        KvFormat narrow = KvFormat.parse(format);
        double[] expected = onCpu(narrow);
        assertThat(Oracle.relativeError(onGpu(KernelSet.F16_SM90, narrow), expected))
                .isLessThan(0.005);
    }

    /// After a prompt, a first step and a capture every token is one launch of one graph and one number read.
    @ParameterizedTest
    @CsvSource({"true, 0, 0, 1", "false, 0.9, 0, 1", "false, 1.2, 20, 0.9"})
    void aStepOfGenerationIsOneGraph(boolean experts, double temperature, int topK, double topP) throws Exception {
        writeRotated(experts ? SyntheticModel.TINY_EXPERTS : SyntheticModel.TINY);
        Sampling sampling = new Sampling(temperature, topK, topP, 11);
        SimGpu gpu = new SimGpu(KernelSet.F16_SM90);
        try (Device device = new CudaDevice(() -> gpu, Activation.F16);
                Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(32);
            NextToken next = decoder.nextToken(sampling);
            next.choose(decoder.forward(PROMPT, cache), PROMPT.length - 1);
            next.id();
            for (int step = 0; step < STEPS; step++) {
                int graphs = gpu.replays();
                int uploads = gpu.uploads();
                int downloads = gpu.downloads();
                int others = gpu.launches();
                next.choose(decoder.forward(next, cache), 0);
                next.id();
                if (step > 0) {
                    assertThat(gpu.replays() - graphs)
                            .as("graphs of step %d", step)
                            .isEqualTo(1);
                    assertThat(gpu.launches() - others).as("other launches").isZero();
                    assertThat(gpu.uploads() - uploads).as("uploads").isZero();
                    assertThat(gpu.downloads() - downloads).as("downloads").isEqualTo(1);
                }
            }
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 1", "1.1, 30, 0.95"})
    void generatesWhatTheCpuGenerates(double temperature, int topK, double topP) throws Exception {
        SyntheticModel.TINY.write(directory);
        Sampling sampling = new Sampling(temperature, topK, topP, 3);
        int[] expected;
        try (Team team = new Team(1);
                Device cpu = CpuDevice.scalar(team)) {
            expected = generated(cpu, sampling);
        }
        try (Device device = new CudaDevice(() -> new SimGpu(KernelSet.F16_SM90), Activation.F16)) {
            assertThat(generated(device, sampling)).isEqualTo(expected);
            assertThat(generated(device, sampling)).as("again").isEqualTo(expected);
        }
    }

    private int[] generated(Device device, Sampling sampling) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            return new Generator(Decoder.load(checkpoint, device))
                    .generate(PROMPT, new GenerationOptions(6, sampling, Set.of()), TokenListener.NONE)
                    .ids();
        }
    }

    private void writeRotated(SyntheticModel model) throws Exception {
        model.write(directory);
        Path file = directory.resolve("config.json");
        ObjectNode config = JsonFiles.read(file);
        for (String module : new String[] {"*.q_proj", "*.k_proj", "*.v_proj"}) {
            InputTransforms.add(config, module, new Rotation(model.hidden(), 5));
        }
        for (String module : new String[] {"*.down_proj", "*.w2"}) {
            InputTransforms.add(config, module, new Rotation(model.intermediate(), 6));
        }
        Files.writeString(file, config.toPrettyString());
    }

    private double[] onCpu(KvFormat format) {
        try (Team team = new Team(1);
                Device cpu = CpuDevice.scalar(team)) {
            float[] logits = logits(cpu, format);
            double[] wide = new double[logits.length];
            Arrays.setAll(wide, i -> logits[i]);
            return wide;
        }
    }

    private float[] onGpu(KernelSet kernels, KvFormat format) {
        try (Device device = new CudaDevice(() -> new SimGpu(kernels), kernels.activation())) {
            return logits(device, format);
        }
    }

    private float[] logits(Device device, KvFormat format) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            decoder.cacheFormat(format);
            KvCache cache = decoder.newCache(16);
            decoder.forward(PROMPT, cache);
            float[] out = new float[decoder.config().vocabSize()];
            decoder.logits(decoder.forward(new int[] {7}, cache), 0, 1, out);
            return out;
        }
    }
}
