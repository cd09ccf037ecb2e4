package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.SafetensorsWriter;
import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class Any4FormatTest {
    private static final String NAME = "model.layers.0.mlp.down_proj";

    @TempDir
    Path directory;

    private final Random random = new Random(1);

    private Tensor floats(DType dtype, long... dims) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), dtype, dims);
        for (long i = 0; i < tensor.elements(); i++) {
            float power = Math.scalb(1f, random.nextInt(8) - 4);
            float normal = (float) random.nextGaussian();
            switch (dtype) {
                case E8M0 -> tensor.setFloat(i, power);
                case I8 -> tensor.setFloat(i, Math.clamp(Math.round(40 * normal), -127, 127));
                default -> tensor.setFloat(i, normal * power);
            }
        }
        return tensor;
    }

    private Tensor bytes(DType dtype, long... dims) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), dtype, dims);
        for (long i = 0; i < tensor.elements(); i++) {
            tensor.data().set(ValueLayout.JAVA_BYTE, i, (byte) random.nextInt(256));
        }
        return tensor;
    }

    private LutWeight lut(int bits, int rows, int columns, int group, boolean shared, DType scale, boolean zero) {
        DType table = scale.isFloat() ? scale : DType.F16;
        int groups = Math.ceilDiv(columns, group);
        return new LutWeight(
                bits,
                columns,
                group,
                bytes(DType.U8, rows, BitPacking.rowBytes(columns, bits)),
                floats(table, shared ? 1 : rows, 1 << bits),
                floats(scale, rows, groups),
                zero ? floats(table, rows, groups) : null);
    }

    private void write(Weight weight, String settings) throws IOException {
        SafetensorsWriter.write(directory.resolve("model.safetensors"), Any4Format.tensors(NAME, weight), Map.of());
        writeConfig("{\"quant_method\": \"any4\", \"version\": 1, %s}".formatted(settings));
    }

    private void writeConfig(String quantization) throws IOException {
        Files.writeString(directory.resolve("config.json"), "{\"quantization_config\": %s}".formatted(quantization));
    }

    private void assertReadsBack(Weight weight) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Weight read = Any4Format.read(checkpoint, NAME, checkpoint.config());
            assertThat(read).hasSameClassAs(weight);
            assertThat(read.rows()).isEqualTo(weight.rows());
            assertThat(read.columns()).isEqualTo(weight.columns());
            assertThat(read.bytes()).isEqualTo(weight.bytes());
            float[] expected = new float[weight.columns()];
            float[] actual = new float[weight.columns()];
            for (int row = 0; row < weight.rows(); row++) {
                weight.dequantizeRow(row, expected, 0);
                read.dequantizeRow(row, actual, 0);
                assertThat(actual).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "4, 5, 64, 32, false, F16, true",
        "4, 5, 64, 32, true, F32, false",
        "4, 3, 66, 32, false, BF16, true",
        "4, 4, 64, 32, true, E8M0, false",
        "4, 5, 64, 32, false, I8, false",
        "3, 5, 96, 32, false, I8, false",
        "3, 5, 64, 16, false, F16, true",
        "3, 5, 40, 64, false, F16, false",
        "2, 5, 64, 32, true, F32, true",
        "2, 1, 8, 4, false, F16, true"
    })
    void tableWeightsReadBackExactly(
            int bits, int rows, int columns, int group, boolean shared, DType scale, boolean zero) throws IOException {
        LutWeight weight = lut(bits, rows, columns, group, shared, scale, zero);
        write(weight, "\"bits\": %d, \"group_size\": %d, \"sym\": %s".formatted(bits, group, !zero));
        assertReadsBack(weight);
    }

    @ParameterizedTest
    @CsvSource({"I8, false, 24", "U8, true, 24", "U8, true, 11"})
    void integerWeightsReadBackExactly(DType codes, boolean zero, int columns) throws IOException {
        Weight weight = new IntWeight(
                16,
                bytes(codes, 3, columns),
                floats(DType.F16, 3, Math.ceilDiv(columns, 16)),
                zero ? floats(DType.F16, 3, Math.ceilDiv(columns, 16)) : null);
        write(weight, "\"bits\": 8, \"group_size\": 16, \"sym\": %s".formatted(!zero));
        assertReadsBack(weight);
    }

    @Test
    void denseWeightsNeedNoConfiguration() throws IOException {
        Weight weight = new DenseWeight(floats(DType.BF16, 3, 5));
        write(weight, "\"bits\": 4");
        assertReadsBack(weight);
        writeConfig("null");
        assertReadsBack(weight);
    }

    @Test
    void widthsThatTheCodesLeaveOpenAreStated() throws IOException {
        LutWeight weight = lut(3, 2, 11, 4, false, DType.F16, true);
        write(weight, "\"bits\": 3, \"group_size\": 4, \"overrides\": {\"%s\": {\"in_features\": 11}}".formatted(NAME));
        assertReadsBack(weight);
    }

    @Test
    void wholeRowsAreOneGroup() throws IOException {
        LutWeight weight = lut(4, 2, 10, 10, false, DType.F16, true);
        write(weight, "\"bits\": 4, \"group_size\": -1");
        assertReadsBack(weight);
    }

    @Test
    void overridesApplyInOrder() throws IOException {
        LutWeight weight = lut(3, 2, 16, 8, false, DType.F16, false);
        write(weight, """
                "bits": 4, "group_size": 128, "sym": false, "overrides": {
                  "re:.*up_proj": {"bits": 8},
                  "re:.*down_proj": {"bits": 2, "group_size": 8},
                  "*.0.mlp.*": {"bits": 3, "sym": true}}
                """);
        assertReadsBack(weight);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
            {"quant_method": "gptq", "bits": 4}                               | the model is quantized by gptq
            {}                                                                | the model is quantized by unknown
            {"quant_method": "any4", "version": 3}                            | has version 3 of the any4 format
            {"quant_method": "any4"}                                          | does not say its version
            {"quant_method": "any4", "version": 1, "packing": "i32"}          | packed as i32
            {"quant_method": "any4", "version": 1, "bits": 5}                 | 5 bits, but only 2, 3, 4 and 8
            {"quant_method": "any4", "version": 1, "bits": "4"}               | has "4" for bits, expected a number
            {"quant_method": "any4", "version": 1, "group_size": 0}           | group_size 0: it must be positive
            {"quant_method": "any4", "version": 1, "in_features": -1}         | in_features -1
            {"quant_method": "any4", "version": 1, "sym": 1}                  | has 1 for sym, expected true or false
            {"quant_method": "any4", "version": 1, "overrides": {"re:(": {}}} | pattern re:( is no regular expression
            """)
    void aConfigurationThatCannotBeReadIsExplained(String settings, String complaint) throws IOException {
        writeConfig(settings);
        var config = JsonFiles.read(directory.resolve("config.json"));
        assertThatThrownBy(() -> Any4Format.of(config))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(complaint);
    }

    @ParameterizedTest
    @ValueSource(strings = {".weight_lut", ".weight_scale", ".weight_zero", ".weight"})
    void aMissingTensorIsNamed(String suffix) throws IOException {
        assertRejected(Map.of(), suffix, "has no tensor " + NAME + suffix);
    }

    @ParameterizedTest
    @CsvSource({
        "F16, .weight_lut, 2, 8",
        "U8, .weight_lut, 2, 16",
        "F16, .weight_scale, 2, 3",
        "U8, .weight_scale, 2, 2",
        "F16, .weight_zero, 1, 2",
        "E8M0, .weight_zero, 2, 2",
        "I32, .weight, 2, 8"
    })
    void tensorsThatDoNotFitAreExplained(DType dtype, String suffix, int rows, int columns) throws IOException {
        Tensor wrong = Tensor.allocate(Arena.ofAuto(), dtype, rows, columns);
        assertRejected(Map.of(NAME + suffix, wrong), null, "the tensors of " + NAME);
    }

    private void assertRejected(Map<String, Tensor> replaced, @Nullable String removed, String complaint)
            throws IOException {
        LutWeight weight = lut(4, 2, 16, 8, false, DType.F16, true);
        write(weight, "\"bits\": 4, \"group_size\": 8");
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>(Any4Format.tensors(NAME, weight));
        tensors.putAll(replaced);
        if (removed != null) {
            tensors.remove(NAME + removed);
        }
        SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of());
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThatThrownBy(() -> Any4Format.read(checkpoint, NAME, checkpoint.config()))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(complaint);
        }
    }

    @Test
    void codesWithoutAConfigurationAreExplained() throws IOException {
        write(lut(4, 2, 16, 8, false, DType.F16, true), "\"bits\": 4");
        writeConfig("null");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThatThrownBy(() -> Any4Format.read(checkpoint, NAME, checkpoint.config()))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("config.json has no quantization_config");
        }
    }
}
