package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.TinyModel;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// AWQ's rewriting of a model: the same function before quantization, a better one after.
class ChannelScalingTest {
    private static final int[] IDS = TinyModel.ids(30, 7);
    private static final CalibrationData DATA =
            new CalibrationData(List.of(TinyModel.ids(64, 1), TinyModel.ids(64, 2)), "test", 0, "");

    @TempDir
    Path directory;

    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    /// A model with a few loud channels, as large models have them: AWQ's case.
    private Path write(TinyModel model) throws IOException {
        for (String name : List.copyOf(model.tensors.keySet())) {
            if (name.endsWith("layernorm.weight")) {
                float[] gain = model.tensor(name).toFloats();
                gain[3] *= 12;
                gain[17] *= 8;
                model.tensors.put(name, Tensor.ofFloats(gain, gain.length));
            }
        }
        return model.write(Files.createDirectories(directory.resolve("model")));
    }

    private Path scaled(Path model, QuantizationSettings settings) {
        Path output = directory.resolve("scaled");
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            ChannelScaling.write(checkpoint, output, settings, decoder, DATA, team, CalibrationListener.NONE);
        }
        return output;
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void theScaledModelComputesTheSame(Architecture architecture) throws IOException {
        assertSameFunction(write(new TinyModel(architecture, 4)));
    }

    /// With a key-value head per query head the value projection produces what the output projection reads.
    @ParameterizedTest
    @EnumSource(
            value = Architecture.class,
            names = {"LLAMA", "QWEN2"})
    void valueHeadsAreScaledIfNoneIsShared(Architecture architecture) throws IOException {
        Path model = write(new TinyModel(architecture, 4, 4));
        Path scaled = assertSameFunction(model);
        assertThat(changed(model, scaled, "model.layers.0.self_attn.o_proj.weight"))
                .isTrue();
    }

    private Path assertSameFunction(Path model) {
        Path scaled =
                scaled(model, QuantizationSettings.of(QuantizationSpec.parse("any2,group-size=24,weighting=none")));
        float[] expected = logits(model);
        float[] actual = logits(scaled);
        for (int i = 0; i < expected.length; i++) {
            assertThat(actual[i]).isCloseTo(expected[i], within(2e-4f));
        }
        assertThat(changed(model, scaled, "model.layers.0.input_layernorm.weight"))
                .isTrue();
        assertThat(changed(model, scaled, "model.layers.1.self_attn.q_proj.weight"))
                .isTrue();
        assertThat(changed(model, scaled, "model.norm.weight")).isFalse();
        assertThat(changed(model, scaled, "lm_head.weight")).isFalse();
        return scaled;
    }

    @Test
    void sharedValueHeadsAreLeftAlone() throws IOException {
        Path model = write(new TinyModel(Architecture.LLAMA, 4));
        Path scaled =
                scaled(model, QuantizationSettings.of(QuantizationSpec.parse("any2,group-size=24,weighting=none")));
        assertThat(changed(model, scaled, "model.layers.0.self_attn.o_proj.weight"))
                .isFalse();
    }

    @Test
    void whatIsNotQuantizedIsNotScaledFor() throws IOException {
        Path model = write(new TinyModel(Architecture.LLAMA, 4));
        QuantizationSettings settings = QuantizationSettings.of(
                        QuantizationSpec.parse("any2,group-size=24,weighting=none"))
                .withSkip(List.of("*.mlp.*"));
        Path scaled = scaled(model, settings);
        assertThat(changed(model, scaled, "model.layers.0.mlp.down_proj.weight"))
                .isFalse();
        assertThat(changed(model, scaled, "model.layers.0.post_attention_layernorm.weight"))
                .isFalse();
        assertThat(changed(model, scaled, "model.layers.0.self_attn.q_proj.weight"))
                .isTrue();
    }

    /// Gains in bfloat16 cannot hold what is left of them after a division; the scales make up for it.
    @Test
    void roundedGainsLoseNothing() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 4);
        Path original = write(model);
        for (String name : List.copyOf(model.tensors.keySet())) {
            if (name.endsWith("layernorm.weight")) {
                float[] gain = model.tensor(name).toFloats();
                model.tensors.put(name, Tensor.ofFloats(DType.BF16, gain, gain.length));
            }
        }
        model.write(original);
        assertSameFunction(original);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"int3,group-size=24,zero-point=integer", "any2,group-size=24,weighting=none", "nf4,group-size=24"
            })
    void quantizedModelsComeNearerToTheOriginal(String spec) throws IOException {
        Path model = write(new TinyModel(Architecture.LLAMA, 4));
        QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse(spec));
        float[] original = logits(model);
        double plain = error(original, quantized(model, "plain", settings));
        double awq = error(original, quantized(scaled(model, settings), "awq", settings));
        assertThat(awq).isPositive().isLessThan(0.9 * plain);
    }

    private float[] quantized(Path model, String name, QuantizationSettings settings) {
        Path output = directory.resolve(name);
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            StatisticsSource statistics =
                    Calibration.onePass(Decoder.load(checkpoint, device), DATA, CalibrationListener.NONE);
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, statistics);
            QuantizationJob.run(plan, output, statistics, team, JobListener.NONE);
        }
        return logits(output);
    }

    @Test
    void refusesAQuantizedModel() throws IOException {
        Path model = write(new TinyModel(Architecture.LLAMA, 4));
        QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse("int4,group-size=8"));
        quantized(model, "quantized", settings);
        assertThatThrownBy(() -> scaled(directory.resolve("quantized"), settings))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("start from the original");
    }

    private static double error(float[] expected, float[] actual) {
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            sum += (expected[i] - actual[i]) * (expected[i] - actual[i]);
        }
        return sum;
    }

    private static boolean changed(Path a, Path b, String name) {
        try (Checkpoint first = Checkpoint.open(a);
                Checkpoint second = Checkpoint.open(b)) {
            return first.tensor(name).data().mismatch(second.tensor(name).data()) != -1;
        }
    }

    private float[] logits(Path model) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            float[] out = new float[IDS.length * decoder.config().vocabSize()];
            decoder.logits(decoder.forward(IDS, decoder.newCache(IDS.length)), 0, IDS.length, out);
            return out;
        }
    }
}
