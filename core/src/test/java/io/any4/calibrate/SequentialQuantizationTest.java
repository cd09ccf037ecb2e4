package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.TinyModel;
import io.any4.quant.QuantizationSpec;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// A job and a calibration that wait for each other.
class SequentialQuantizationTest {
    private static final CalibrationData DATA =
            new CalibrationData(List.of(TinyModel.ids(40, 1), TinyModel.ids(25, 2)), "test", 0, "");
    private static final QuantizationSettings SETTINGS =
            QuantizationSettings.of(QuantizationSpec.parse("any2,group-size=32"));

    @TempDir
    Path directory;

    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @BeforeEach
    void writeModel() throws IOException {
        write(Architecture.LLAMA);
    }

    private void write(Architecture architecture) throws IOException {
        new TinyModel(architecture, 9).write(Files.createDirectories(directory.resolve("model")));
    }

    private Path run(String name, QuantizationSettings settings, boolean sequential, JobListener listener) {
        return run(name, settings, sequential ? CalibrationMode.SEQUENTIAL : CalibrationMode.ONE_PASS, listener);
    }

    private Path run(String name, QuantizationSettings settings, CalibrationMode mode, JobListener listener) {
        Path output = directory.resolve(name);
        try (Checkpoint checkpoint = Checkpoint.open(directory.resolve("model"))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            StatisticsSource statistics = Calibration.run(mode, decoder, DATA, CalibrationListener.NONE);
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, statistics);
            QuantizationJob.run(plan, output, statistics, team, listener);
        }
        return output;
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"LLAMA", "MIXTRAL"})
    void laterBlocksSeeWhatQuantizedOnesProduce(Architecture architecture) throws IOException {
        write(architecture);
        Path sequential = run("sequential", SETTINGS, true, JobListener.NONE);
        Path onePass = run("one-pass", SETTINGS, false, JobListener.NONE);
        try (Checkpoint a = Checkpoint.open(sequential);
                Checkpoint b = Checkpoint.open(onePass)) {
            assertThat(sameCodes(a, b, "model.layers.0.self_attn.q_proj")).isTrue();
            assertThat(sameCodes(a, b, "model.layers.1.self_attn.q_proj")).isFalse();
            assertThat(a.config()
                            .path("quantization_config")
                            .path("calibration")
                            .path("mode")
                            .stringValue())
                    .isEqualTo("sequential");
        }
    }

    private static boolean sameCodes(Checkpoint a, Checkpoint b, String module) {
        return a.tensor(module + ".weight")
                                .data()
                                .mismatch(b.tensor(module + ".weight").data())
                        == -1
                && Arrays.equals(
                        a.tensor(module + ".weight_lut").toFloats(),
                        b.tensor(module + ".weight_lut").toFloats());
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"LLAMA", "MIXTRAL"})
    void anInterruptionDoesNotChangeTheBytes(Architecture architecture) throws IOException {
        write(architecture);
        assertUnchangedByInterruptions(CalibrationMode.SEQUENTIAL);
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"LLAMA", "MIXTRAL"})
    void anInterruptionDoesNotChangeTheBytesOfGptq(Architecture architecture) throws IOException {
        write(architecture);
        assertUnchangedByInterruptions(CalibrationMode.GPTQ);
    }

    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"LLAMA", "MIXTRAL"})
    void anInterruptionDoesNotChangeTheBytesOfGptaq(Architecture architecture) throws IOException {
        write(architecture);
        assertUnchangedByInterruptions(CalibrationMode.GPTAQ);
    }

    private void assertUnchangedByInterruptions(CalibrationMode mode) throws IOException {
        Path whole = run("whole", SETTINGS, mode, JobListener.NONE);
        for (String stop : List.of("model.layers.0.self_attn.o_proj", "model.layers.1.self_attn.o_proj")) {
            assertThatThrownBy(() -> run("out", SETTINGS, mode, progress -> {
                        if (progress.tensor().equals(stop)) {
                            throw new IllegalStateException("killed");
                        }
                    }))
                    .hasMessage("killed");
        }
        Directories.assertSame(run("out", SETTINGS, mode, JobListener.NONE), whole);
    }

    @Test
    void aSkippedBlockDoesNotStopTheWalk() throws IOException {
        Path output = run("out", SETTINGS.withSkip(List.of("*.layers.0.*")).withHead(true), true, JobListener.NONE);
        try (Checkpoint quantized = Checkpoint.open(output)) {
            assertThat(quantized.contains("model.layers.1.self_attn.q_proj.weight_lut"))
                    .isTrue();
            assertThat(quantized.contains("model.layers.0.self_attn.q_proj.weight_lut"))
                    .isFalse();
            assertThat(quantized.contains("lm_head.weight_lut")).isTrue();
        }
    }

    /// The point of feedback: what the whole model computes is nearer to the original, on the same levels.
    @ParameterizedTest
    @EnumSource(Architecture.class)
    void gptqComesNearerToTheOriginal(Architecture architecture) throws IOException {
        write(architecture);
        QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse("int3,group-size=32"));
        double rounded = logitError(run("rounded", settings, CalibrationMode.SEQUENTIAL, JobListener.NONE));
        double fedBack = logitError(run("gptq", settings, CalibrationMode.GPTQ, JobListener.NONE));
        double asymmetric = logitError(run("gptaq", settings, CalibrationMode.GPTAQ, JobListener.NONE));
        assertThat(fedBack).isPositive().isLessThan(0.8 * rounded);
        assertThat(asymmetric).isPositive().isNotEqualTo(fedBack).isLessThan(0.8 * rounded);
    }

    private double logitError(Path quantized) {
        float[] expected = logits(directory.resolve("model"));
        float[] actual = logits(quantized);
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        }
        return sum;
    }

    private float[] logits(Path model) {
        int[] ids = DATA.windows().getFirst();
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            float[] out = new float[ids.length * decoder.config().vocabSize()];
            decoder.logits(decoder.forward(ids, decoder.newCache(ids.length)), 0, ids.length, out);
            return out;
        }
    }
}
