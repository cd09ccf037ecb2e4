package io.any4.bench;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;

/// The linear layers of a Llama-3.2-1B: 1.24 billion weights, the shape that all speeds are reported for.
final class Llama1b {
    static final int HIDDEN = 2048;
    static final int INTERMEDIATE = 8192;
    static final int HEADS = 32;
    static final int HEAD_DIM = 64;
    static final int KV_WIDTH = 512;
    static final int LAYERS = 16;
    static final int VOCABULARY = 128256;

    private Llama1b() {}

    /// One matrix: `rows` output features, `columns` input features.
    record Linear(int rows, int columns) {}

    /// `config.json` of so many layers, with tied embeddings.
    static String config(int layers) {
        return """
                {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": %d,
                 "intermediate_size": %d, "num_hidden_layers": %d, "num_attention_heads": %d,
                 "num_key_value_heads": %d, "head_dim": %d, "vocab_size": %d, "max_position_embeddings": 131072,
                 "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "silu", "tie_word_embeddings": true,
                 "torch_dtype": "bfloat16", "bos_token_id": 0, "eos_token_id": 1}
                """.formatted(HIDDEN, INTERMEDIATE, layers, HEADS, KV_WIDTH / HEAD_DIM, HEAD_DIM, VOCABULARY);
    }

    /// The matrices of a layer by their names in it, in the order in which they run.
    static SequencedMap<String, Linear> layer() {
        SequencedMap<String, Linear> layer = new LinkedHashMap<>();
        layer.put("self_attn.q_proj", new Linear(HIDDEN, HIDDEN));
        layer.put("self_attn.k_proj", new Linear(KV_WIDTH, HIDDEN));
        layer.put("self_attn.v_proj", new Linear(KV_WIDTH, HIDDEN));
        layer.put("self_attn.o_proj", new Linear(HIDDEN, HIDDEN));
        layer.put("mlp.gate_proj", new Linear(INTERMEDIATE, HIDDEN));
        layer.put("mlp.up_proj", new Linear(INTERMEDIATE, HIDDEN));
        layer.put("mlp.down_proj", new Linear(HIDDEN, INTERMEDIATE));
        return layer;
    }

    /// All products of one token, in order.
    static List<Linear> linears() {
        List<Linear> linears = new ArrayList<>();
        for (int layer = 0; layer < LAYERS; layer++) {
            linears.addAll(layer().values());
        }
        linears.add(new Linear(VOCABULARY, HIDDEN));
        return linears;
    }
}
