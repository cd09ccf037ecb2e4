package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Config;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizationPlanTest {
    private static final QuantizationSettings SETTINGS =
            QuantizationSettings.of(QuantizationSpec.parse("any4,group-size=32"));

    @TempDir
    Path directory;

    private Path model = Path.of("");

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyCheckpoint.write(directory.resolve("model"));
    }

    private QuantizationPlan plan(QuantizationSettings settings) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            return QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
        }
    }

    private List<String> quantized(QuantizationSettings settings) {
        return plan(settings).modules().stream().map(Any4Config.Module::name).toList();
    }

    @Test
    void quantizesTheLinearLayersOfTheBlocksInModelOrder() {
        List<String> expected = new ArrayList<>();
        for (int block = 0; block < 2; block++) {
            for (String part : List.of("k_proj", "q_proj", "v_proj", "o_proj")) {
                expected.add("model.layers.%d.self_attn.%s".formatted(block, part));
            }
            for (String part : List.of("0.w1", "0.w3", "1.w1", "1.w3", "0.w2", "1.w2")) {
                expected.add("model.layers.%d.block_sparse_moe.experts.%s".formatted(block, part));
            }
        }
        assertThat(quantized(SETTINGS)).isEqualTo(expected);
        assertThat(plan(SETTINGS).copies())
                .containsExactly(
                        "model.embed_tokens.weight",
                        "model.layers.0.self_attn.q_proj.bias",
                        "model.layers.0.block_sparse_moe.gate.weight",
                        "model.layers.0.input_layernorm.weight",
                        "model.layers.1.self_attn.q_proj.bias",
                        "model.layers.1.block_sparse_moe.gate.weight",
                        "model.layers.1.input_layernorm.weight",
                        "model.norm.weight",
                        "lm_head.weight");
    }

    @Test
    void blocksAreOrderedByNumber() {
        assertThat(ModelTensors.ordered(java.util.Set.of(
                        "model.layers.10.a", "model.layers.9.a", "lm_head.weight", "model.norm.weight")))
                .containsExactly("model.layers.9.a", "model.layers.10.a", "model.norm.weight", "lm_head.weight");
    }

    @Test
    void headAndEmbeddingsAreIncludedOnDemand() {
        assertThat(quantized(SETTINGS.withHead(true).withEmbeddings(true)))
                .hasSize(22)
                .endsWith("model.embed_tokens", "lm_head");
    }

    @Test
    void skippedModulesAreCopiedAndListed() throws IOException {
        QuantizationPlan plan = plan(SETTINGS.withSkip(List.of("*.o_proj", "re:.*layers\\.1\\..*")));
        assertThat(plan.modules()).hasSize(9).noneMatch(module -> module.name().contains("layers.1."));
        assertThat(new String(plan.config(), java.nio.charset.StandardCharsets.UTF_8))
                .contains("\"model.layers.0.self_attn.o_proj\"");
    }

    @Test
    void overridesApplyInOrder() {
        QuantizationPlan plan =
                plan(SETTINGS.withOverrides(List.of("*.w2=group-size=16", "*.layers.0.*=int8", "*.w2=group-size=64")));
        assertThat(plan.modules())
                .filteredOn(module -> module.name().endsWith("w2"))
                .extracting(module -> module.spec().describe())
                .containsExactly(
                        "int8,group-size=64", "int8,group-size=64", "any4,group-size=64", "any4,group-size=64");
    }

    @ParameterizedTest
    @ValueSource(strings = {"*.o_proj", "=int4", "*.o_proj="})
    void malformedOverridesAreExplained(String text) {
        assertThatThrownBy(() -> SpecOverride.parse(text))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is no override: write PATTERN=SETTINGS");
    }

    @Test
    void wrongSettingsInOverridesAreFoundAtOnce() {
        assertThatThrownBy(() -> SETTINGS.withOverrides(List.of("*=int5"))).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> SETTINGS.withOverrides(List.of("*=group-size=0")))
                .isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> SETTINGS.withOverrides(List.of("*=group-size=64,int4")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("'int4' in override");
    }

    @Test
    void patternsWithoutEffectAreErrors() {
        assertRejected(SETTINGS.withSkip(List.of("down_proj")), "--skip down_proj matches no module");
        assertRejected(SETTINGS.withSkip(List.of("lm_head")), "--skip lm_head matches no module");
        assertRejected(SETTINGS.withOverrides(List.of("lm_head=int8")), "--override lm_head matches no module");
        assertRejected(SETTINGS.withSkip(List.of("*")), "all of it is to be skipped");
    }

    @Test
    void aTiedHeadCannotBeIncludedByItself() throws IOException {
        SequencedMap<String, Tensor> tensors = TinyCheckpoint.tensors();
        tensors.remove("lm_head.weight");
        TinyCheckpoint.write(model, tensors);
        assertRejected(SETTINGS.withHead(true), "has no lm_head.weight");
        assertThat(new String(plan(SETTINGS).config(), java.nio.charset.StandardCharsets.UTF_8))
                .contains("\"lm_head\"");
    }

    @Test
    void aQuantizedModelIsNotQuantizedAgain() throws IOException {
        Files.writeString(model.resolve("config.json"), "{\"quantization_config\": {\"quant_method\": \"awq\"}}");
        assertRejected(SETTINGS, "is quantized already (quant_method awq): start from the original");
    }

    @Test
    void aModelWithoutLinearLayersIsAnError() throws IOException {
        SequencedMap<String, Tensor> tensors = TinyCheckpoint.tensors();
        tensors.keySet().removeIf(name -> name.contains("layers"));
        TinyCheckpoint.write(model, tensors);
        assertRejected(SETTINGS, "no linear layer was recognized");
    }

    @Test
    void theConfigurationDescribesTheFormat() {
        String config = new String(
                plan(SETTINGS.withOverrides(
                                List.of("*.0.self_attn.q_proj=any3,group-size=row,table=matrix,metadata=f32")))
                        .config(),
                java.nio.charset.StandardCharsets.UTF_8);
        assertThat(config).isEqualTo("""
                        {
                          "model_type": "mixtral",
                          "hidden_size": 48,
                          "quantization_config": {
                            "quant_method": "any4",
                            "version": 1,
                            "bits": 4,
                            "group_size": 32,
                            "sym": false,
                            "lut_granularity": "row",
                            "lut_dtype": "float16",
                            "scale_dtype": "float16",
                            "packing": "u8_lsb_first",
                            "modules_to_not_convert": [
                              "model.embed_tokens",
                              "model.layers.0.block_sparse_moe.gate",
                              "model.layers.1.block_sparse_moe.gate",
                              "lm_head"
                            ],
                            "overrides": {
                              "model.layers.0.self_attn.q_proj": {
                                "bits": 3,
                                "group_size": -1,
                                "lut_granularity": "tensor",
                                "lut_dtype": "float32",
                                "scale_dtype": "float32"
                              }
                            },
                            "quantizer": "any4j 0.1",
                            "recipe": "any4,group-size=32"
                          }
                        }
                        """);
    }

    private void assertRejected(QuantizationSettings settings, String complaint) {
        assertThatThrownBy(() -> plan(settings))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(complaint);
    }
}
