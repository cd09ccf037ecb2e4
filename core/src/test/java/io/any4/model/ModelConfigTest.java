package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

class ModelConfigTest {
    private static final ObjectMapper JSON = new ObjectMapper();

    @Test
    void readsTheOlderDialect() {
        ModelConfig config = parse("""
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 2048,
                 "intermediate_size": 8192, "num_attention_heads": 32, "num_key_value_heads": 8,
                 "num_hidden_layers": 16, "vocab_size": 128256, "rms_norm_eps": 1e-05, "rope_theta": 500000.0,
                 "rope_scaling": {"factor": 32.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                                  "original_max_position_embeddings": 8192, "rope_type": "llama3"},
                 "max_position_embeddings": 131072, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
                 "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009]}""");
        assertThat(config.headDim()).isEqualTo(64);
        assertThat(config.rope()).isEqualTo(new Rope(Rope.Type.LLAMA3, 500_000, 32, 1, 4, 8192, DType.F32));
        assertThat(config.tiedEmbeddings()).isTrue();
        assertThat(config.bosId()).isEqualTo(128000);
        assertThat(config.eosIds()).containsExactly(128001, 128008, 128009);
        assertThat(config.windows()).hasSize(16).containsOnly(0);
        assertThat(config.normEpsilon()).isEqualTo(1e-5f);
    }

    @Test
    void readsTheNewerDialect() {
        ModelConfig config = with("LlamaForCausalLM", """
                {"rope_parameters": {"rope_type": "llama3", "rope_theta": 500000.0, "factor": 8.0, "low_freq_factor": 1.0,
                 "high_freq_factor": 4.0, "original_max_position_embeddings": 64}, "eos_token_id": 2}""");
        assertThat(config.rope()).isEqualTo(new Rope(Rope.Type.LLAMA3, 500_000, 8, 1, 4, 64, DType.F32));
        assertThat(config.eosIds()).containsExactly(2);
    }

    @Test
    void takesTheOldestNameOfTheRopeType() {
        ModelConfig config = with(
                "LlamaForCausalLM", "{\"rope_theta\": 1e4, \"rope_scaling\": {\"type\": \"linear\", \"factor\": 4}}");
        assertThat(config.rope()).isEqualTo(new Rope(Rope.Type.LINEAR, 10_000, 4, 1, 1, 0, DType.F32));
    }

    @Test
    void nullMeansAbsent() {
        ModelConfig config = with("MixtralForCausalLM", """
                {"head_dim": null, "sliding_window": null, "num_key_value_heads": null, "num_local_experts": 4,
                 "num_experts_per_tok": 2, "eos_token_id": null, "rope_scaling": null}""");
        assertThat(config.headDim()).isEqualTo(16);
        assertThat(config.kvHeads()).isEqualTo(4);
        assertThat(config.windows()).containsOnly(0);
        assertThat(config.eosIds()).isEmpty();
        assertThat(config.bosId()).isEqualTo(-1);
        assertThat(config.experts()).isEqualTo(new ModelConfig.Experts(4, 2));
    }

    @Test
    void mistralSlidesEverywhere() {
        assertThat(with("MistralForCausalLM", "{\"sliding_window\": 24}").windows())
                .containsExactly(24, 24, 24);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"sliding_window\": 24, \"use_sliding_window\": false} | 0,0,0",
                "{\"sliding_window\": 24} | 0,0,0",
                "{\"sliding_window\": 24, \"use_sliding_window\": true} | 0,0,0",
                "{\"sliding_window\": 24, \"use_sliding_window\": true, \"max_window_layers\": 2} | 0,0,24",
                "{\"sliding_window\": null, \"use_sliding_window\": true, \"max_window_layers\": 0} | 0,0,0",
                "{\"sliding_window\": 24, \"use_sliding_window\": true, \"layer_types\":"
                        + " [\"full_attention\", \"sliding_attention\", \"full_attention\"]} | 0,24,0"
            })
    void qwenSlidesWhereItIsToldTo(String overrides, String expected) {
        assertThat(with("Qwen2ForCausalLM", overrides).windows().toString())
                .isEqualTo("[" + expected.replace(",", ", ") + "]");
        assertThat(with("Qwen3ForCausalLM", overrides).windows()).hasSize(3);
    }

    @Test
    void knowsWhichFamilyHasBiasesAndHeadNorms() {
        ModelConfig qwen2 = with("Qwen2ForCausalLM", "{}");
        assertThat(qwen2.qkvBias()).isTrue();
        assertThat(qwen2.outputBias()).isFalse();
        assertThat(with("Qwen3ForCausalLM", "{}").headNorm()).isTrue();
        ModelConfig llama = with("LlamaForCausalLM", "{\"attention_bias\": true, \"mlp_bias\": true}");
        assertThat(llama.qkvBias() && llama.outputBias() && llama.mlpBias()).isTrue();
        assertThat(llama.headNorm()).isFalse();
    }

    @Test
    void fallsBackToTheModelType() {
        ObjectNode json = base("LlamaForCausalLM");
        json.remove("architectures");
        json.put("model_type", "llama");
        assertThat(ModelConfig.parse(json).architecture()).isEqualTo(Architecture.LLAMA);
    }

    @Test
    void listsWhatIsSupportedInsteadOfAnUnknownArchitecture() {
        assertThatThrownBy(() -> with("GPT2LMHeadModel", "{}"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("GPT2LMHeadModel", "LlamaForCausalLM", "Qwen3ForCausalLM");
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "{\"hidden_act\": \"gelu\"} | gelu",
                "{\"rope_scaling\": {\"rope_type\": \"yarn\", \"factor\": 4}} | yarn",
                "{\"rope_scaling\": {\"rope_type\": \"llama3\", \"factor\": 4}} | low_freq_factor",
                "{\"partial_rotary_factor\": 0.5} | partial_rotary_factor",
                "{\"num_key_value_heads\": 3} | num_key_value_heads",
                "{\"head_dim\": 7} | head_dim",
                "{\"hidden_size\": \"many\"} | hidden_size"
            })
    void saysWhatItCannotRun(String overrides, String named) {
        assertThatThrownBy(() -> with("LlamaForCausalLM", overrides))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(named);
    }

    @ParameterizedTest
    @ValueSource(strings = {"hidden_size", "num_hidden_layers", "vocab_size", "intermediate_size", "architectures"})
    void saysWhatIsMissing(String key) {
        ObjectNode json = base("LlamaForCausalLM");
        json.remove(key);
        assertThatThrownBy(() -> ModelConfig.parse(json))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(key.equals("architectures") ? "architecture" : key);
    }

    private static ModelConfig with(String architecture, String overrides) {
        ObjectNode json = base(architecture);
        json.setAll((ObjectNode) JSON.readTree(overrides));
        return ModelConfig.parse(json);
    }

    private static ModelConfig parse(String json) {
        return ModelConfig.parse(JSON.readTree(json));
    }

    private static ObjectNode base(String architecture) {
        ObjectNode json = JSON.createObjectNode();
        json.putArray("architectures").add(architecture);
        return json.put("hidden_size", 64)
                .put("intermediate_size", 96)
                .put("num_attention_heads", 4)
                .put("num_hidden_layers", 3)
                .put("vocab_size", 50);
    }
}
