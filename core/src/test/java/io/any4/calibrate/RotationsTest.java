package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.TinyModel;
import io.any4.quant.QuantizationSpec;
import io.any4.quant.RowListener;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Rotation;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class RotationsTest {
    private static final int[] IDS = TinyModel.ids(30, 4);

    @TempDir
    Path directory;

    private Team team;
    private Device device;

    @BeforeEach
    void open() {
        team = new Team(2);
        device = CpuDevice.scalar(team);
    }

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void theRotatedModelComputesTheSame(Architecture architecture) throws IOException {
        TinyModel model = new TinyModel(architecture, 3);
        assertSameLogits(model, 1e-4);
    }

    @Test
    void outputBiasesTurnToo() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 8);
        model.config.put("attention_bias", true).put("mlp_bias", true);
        for (String module : model.tensors.sequencedKeySet().stream()
                .filter(name -> name.contains("_proj."))
                .toList()) {
            int rows = Math.toIntExact(model.tensor(module).rows());
            model.tensors.put(module.replace(".weight", ".bias"), gaussian(rows, 1, rows, DType.F32));
        }
        assertSameLogits(model, 1e-4);
    }

    @Test
    void headAndEmbeddingPartWhenTheGainOfTheFinalNormMakesThemDiffer() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 5);
        model.config.put("tie_word_embeddings", true);
        model.tensors.remove("lm_head.weight");
        assertSameLogits(model, 1e-4);
        try (Checkpoint rotated = Checkpoint.open(directory.resolve("rotated"))) {
            assertThat(rotated.contains("lm_head.weight")).isTrue();
            assertThat(rotated.config().path("tie_word_embeddings").asBoolean()).isFalse();
        }
    }

    @Test
    void headAndEmbeddingStayTiedWhileTheyAreTheSame() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 5);
        model.config.put("tie_word_embeddings", true);
        model.tensors.remove("lm_head.weight");
        float[] ones = new float[24];
        Arrays.fill(ones, 1);
        model.tensors.put("model.norm.weight", Tensor.ofFloats(ones, 24));
        assertSameLogits(model, 1e-4);
        try (Checkpoint rotated = Checkpoint.open(directory.resolve("rotated"))) {
            assertThat(rotated.contains("lm_head.weight")).isFalse();
        }
    }

    private void assertSameLogits(TinyModel model, double tolerance) throws IOException {
        Path source = model.write(Files.createDirectories(directory.resolve("source")));
        Path target = directory.resolve("rotated");
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            Rotations.write(checkpoint, target, 7, team, CalibrationListener.NONE);
        }
        float[] expected = logits(source);
        float[] actual = logits(target);
        double largest = 0;
        double difference = 0;
        for (int i = 0; i < expected.length; i++) {
            largest = Math.max(largest, Math.abs(expected[i]));
            difference = Math.max(difference, Math.abs(expected[i] - actual[i]));
        }
        assertThat(difference / largest).isLessThan(tolerance);
        assertThat(weight(target, "model.layers.0.self_attn.q_proj.weight"))
                .isNotEqualTo(weight(source, "model.layers.0.self_attn.q_proj.weight"));
        assertThat(weight(target, "model.layers.0.input_layernorm.weight")).containsOnly(1f);
    }

    private float[] logits(Path model) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache cache = decoder.newCache(IDS.length);
            float[] out = new float[IDS.length * decoder.config().vocabSize()];
            decoder.logits(decoder.forward(IDS, cache), 0, IDS.length, out);
            return out;
        }
    }

    private static float[] weight(Path model, String name) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return checkpoint.tensor(name).toFloats();
        }
    }

    @Test
    void aQuantizedRotatedModelRotatesItsInputsWhenItRuns() throws IOException {
        TinyModel model = new TinyModel(Architecture.QWEN3, 2);
        Path source = model.write(Files.createDirectories(directory.resolve("source")));
        Path output = directory.resolve("quantized");
        try (Checkpoint checkpoint = Checkpoint.open(source);
                ModelCopy copy = ModelCopy.rotated(checkpoint, output, 1, team, CalibrationListener.NONE)) {
            QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse("int8,group-size=8"));
            QuantizationPlan plan = QuantizationPlan.of(copy.checkpoint(), settings, StatisticsSource.NONE);
            QuantizationJob.run(plan, output, StatisticsSource.NONE, team, JobListener.NONE);
            assertThat(directory.resolve(".quantized.rotated")).exists();
        }
        assertThat(directory.resolve(".quantized.rotated")).doesNotExist();
        float[] expected = logits(source);
        float[] actual = logits(output);
        assertThat(relativeError(actual, expected)).isBetween(1e-9, 1e-3);
        try (Checkpoint quantized = Checkpoint.open(output)) {
            assertThat(quantized
                            .config()
                            .path("quantization_config")
                            .path("version")
                            .asInt())
                    .isEqualTo(2);
            assertThat(quantized
                            .config()
                            .path("quantization_config")
                            .path("input_transforms")
                            .findValuesAsString("modules"))
                    .containsExactly("*.self_attn.o_proj", "*.mlp.down_proj");
        }
        Files.writeString(
                output.resolve("config.json"),
                Files.readString(output.resolve("config.json")).replace("hadamard", "spiral"));
        assertThatThrownBy(() -> logits(output))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("'spiral'");
    }

    @Test
    void anInterruptedJobFindsItsCopyAgain() throws IOException {
        Path source = new TinyModel(Architecture.LLAMA, 2).write(Files.createDirectories(directory.resolve("source")));
        Path output = directory.resolve("out");
        Path copied = directory.resolve(".out.rotated");
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            Files.createDirectories(directory.resolve(".out.partial")); // what an interrupted job leaves
            ModelCopy.rotated(checkpoint, output, 1, team, CalibrationListener.NONE)
                    .close();
            var written = Files.getLastModifiedTime(copied.resolve("model.safetensors"));
            boolean[] rotated = new boolean[1];
            ModelCopy.rotated(checkpoint, output, 1, team, (done, total) -> rotated[0] = true)
                    .close();
            assertThat(rotated[0]).isFalse();
            assertThat(Files.getLastModifiedTime(copied.resolve("model.safetensors")))
                    .isEqualTo(written);
            ModelCopy.rotated(checkpoint, output, 2, team, (done, total) -> rotated[0] = true)
                    .close();
            assertThat(rotated[0]).isTrue();
        }
    }

    @Test
    void sameSeedSameBytes() throws IOException {
        Path source = new TinyModel(Architecture.LLAMA, 2).write(Files.createDirectories(directory.resolve("source")));
        try (Checkpoint checkpoint = Checkpoint.open(source);
                Team one = new Team(1)) {
            Rotations.write(checkpoint, directory.resolve("a"), 1, team, CalibrationListener.NONE);
            Rotations.write(checkpoint, directory.resolve("b"), 1, one, CalibrationListener.NONE);
            Rotations.write(checkpoint, directory.resolve("c"), 2, team, CalibrationListener.NONE);
        }
        byte[] a = Files.readAllBytes(directory.resolve("a/model.safetensors"));
        assertThat(Files.readAllBytes(directory.resolve("b/model.safetensors"))).isEqualTo(a);
        assertThat(Files.readAllBytes(directory.resolve("c/model.safetensors"))).isNotEqualTo(a);
    }

    @Test
    void refusesToRotateTwiceAndMatricesItDoesNotKnow() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 2);
        Path source = model.write(Files.createDirectories(directory.resolve("source")));
        Path rotated = directory.resolve("rotated");
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            Rotations.write(checkpoint, rotated, 1, team, CalibrationListener.NONE);
        }
        try (Checkpoint checkpoint = Checkpoint.open(rotated)) {
            assertThatThrownBy(() ->
                            Rotations.write(checkpoint, directory.resolve("twice"), 1, team, CalibrationListener.NONE))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("rotated already");
        }
        model.tensors.put("model.layers.0.mlp.adapter.weight", gaussian(4, 24, 96, DType.F32));
        model.write(source);
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            assertThatThrownBy(() -> Rotations.write(
                            checkpoint, directory.resolve("unknown"), 1, team, CalibrationListener.NONE))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("model.layers.0.mlp.adapter.weight");
        }
        assertThat(directory.resolve("unknown")).doesNotExist();
    }

    @Test
    void weightsWithOutlierChannelsQuantizeBetter() {
        int columns = 96;
        Tensor weights = gaussian(32, columns, 32 * columns, DType.BF16);
        for (int row = 0; row < 32; row++) {
            weights.setFloat((long) row * columns + 11, 12 * weights.getFloat((long) row * columns + 11));
        }
        try (Arena arena = Arena.ofShared()) {
            Tensor rotated =
                    new TensorRotation(null, List.of(new Rotation(columns, 0)), null).apply(weights, team, arena);
            assertThat(quantizationError(rotated)).isLessThan(0.5 * quantizationError(weights));
        }
    }

    private double quantizationError(Tensor weights) {
        Weight quantized = QuantizationSpec.parse("int4,group-size=row")
                .quantizer()
                .quantize(weights, null, team, RowListener.NONE);
        assertThat(quantized).isInstanceOf(LutWeight.class);
        float[] actual = new float[Math.toIntExact(weights.elements())];
        for (int row = 0; row < quantized.rows(); row++) {
            quantized.dequantizeRow(row, actual, row * quantized.columns());
        }
        return relativeError(actual, weights.toFloats());
    }

    private static double relativeError(float[] actual, float[] expected) {
        double error = 0;
        double sum = 0;
        for (int i = 0; i < expected.length; i++) {
            double difference = actual[i] - expected[i];
            error += difference * difference;
            sum += (double) expected[i] * expected[i];
        }
        return error / sum;
    }

    @Test
    void bothSidesTurnAndNarrowTypesAreRoundedOnce() {
        Tensor source = gaussian(12, 20, 240, DType.BF16);
        Rotation inputs = new Rotation(10, 1);
        Rotation outputs = new Rotation(4, 2);
        float[] gain = new float[20];
        for (int j = 0; j < 20; j++) {
            gain[j] = 1 + j / 10f;
        }
        double[][] expected = slowly(source, gain, inputs, outputs);
        try (Arena arena = Arena.ofShared()) {
            Tensor actual = new TensorRotation(gain, List.of(inputs), outputs).apply(source, team, arena);
            assertThat(actual.dtype()).isEqualTo(DType.BF16);
            for (int i = 0; i < 12; i++) {
                for (int j = 0; j < 20; j++) {
                    double value = expected[i][j];
                    assertThat(actual.getFloat(i * 20L + j))
                            .isCloseTo((float) value, within((float) (Math.abs(value) / 256 + 1e-6)));
                }
            }
        }
    }

    /// The definition: gains into the columns, then the matrices of the rotations, block by block.
    private static double[][] slowly(Tensor source, float[] gain, Rotation inputs, Rotation outputs) {
        double[][] w = new double[12][20];
        for (int i = 0; i < 12; i++) {
            for (int j = 0; j < 20; j++) {
                w[i][j] = source.getFloat(i * 20L + j) * gain[j];
            }
        }
        double[][] in = matrix(inputs);
        double[][] out = matrix(outputs);
        double[][] result = new double[12][20];
        for (int i = 0; i < 12; i++) {
            for (int j = 0; j < 20; j++) {
                for (int k = 0; k < 4; k++) {
                    for (int l = 0; l < 10; l++) {
                        result[i][j] += out[i % 4][k] * w[i - i % 4 + k][j - j % 10 + l] * in[j % 10][l];
                    }
                }
            }
        }
        return result;
    }

    private static double[][] matrix(Rotation rotation) {
        int n = rotation.width();
        double[][] matrix = new double[n][n];
        for (int j = 0; j < n; j++) {
            double[] unit = new double[n];
            unit[j] = 1;
            rotation.rotator().rotate(unit);
            for (int i = 0; i < n; i++) {
                matrix[i][j] = unit[i];
            }
        }
        return matrix;
    }

    private static Tensor gaussian(int rows, int columns, int count, DType dtype) {
        Random random = new Random(count);
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (0.3 * random.nextGaussian());
        }
        return columns == 1 ? Tensor.ofFloats(dtype, values, rows) : Tensor.ofFloats(dtype, values, rows, columns);
    }
}
