package io.any4.model;

import io.any4.checkpoint.SafetensorsWriter;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.SequencedMap;
import tools.jackson.databind.ObjectMapper;
import tools.jackson.databind.node.ObjectNode;

/// A small random model of any supported architecture, to be written as a checkpoint and run in two ways.
public final class TinyModel {
    static final int HIDDEN = 24;
    static final int INTERMEDIATE = 40;
    static final int HEADS = 4;
    static final int KV_HEADS = 2;
    static final int HEAD_DIM = 10;
    static final int VOCAB = 61;
    static final int LAYERS = 2;
    static final int CONTEXT = 64;
    static final int EXPERTS = 5;

    public final ObjectNode config = new ObjectMapper().createObjectNode();
    public final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    private final Random random;
    private final int kvHeads;

    public TinyModel(Architecture architecture, long seed) {
        this(architecture, seed, KV_HEADS);
    }

    public TinyModel(Architecture architecture, long seed, int kvHeads) {
        random = new Random(seed);
        this.kvHeads = kvHeads;
        config.putArray("architectures").add(architecture.className());
        config.put("hidden_size", HIDDEN).put("intermediate_size", INTERMEDIATE).put("vocab_size", VOCAB);
        config.put("num_attention_heads", HEADS)
                .put("num_key_value_heads", kvHeads)
                .put("head_dim", HEAD_DIM);
        config.put("num_hidden_layers", LAYERS).put("max_position_embeddings", CONTEXT);
        config.put("rms_norm_eps", 1e-5)
                .put("rope_theta", 10_000)
                .put("bos_token_id", 1)
                .put("eos_token_id", 2);
        if (architecture == Architecture.MISTRAL) {
            config.put("sliding_window", 7);
        }
        if (architecture == Architecture.MIXTRAL) {
            config.put("num_local_experts", EXPERTS).put("num_experts_per_tok", 2);
        }
        matrix("model.embed_tokens", VOCAB, HIDDEN);
        for (int i = 0; i < LAYERS; i++) {
            block("model.layers.%d.".formatted(i), architecture);
        }
        gain("model.norm", HIDDEN);
        matrix("lm_head", VOCAB, HIDDEN);
    }

    private void block(String prefix, Architecture architecture) {
        gain(prefix + "input_layernorm", HIDDEN);
        matrix(prefix + "self_attn.q_proj", HEADS * HEAD_DIM, HIDDEN);
        matrix(prefix + "self_attn.k_proj", kvHeads * HEAD_DIM, HIDDEN);
        matrix(prefix + "self_attn.v_proj", kvHeads * HEAD_DIM, HIDDEN);
        matrix(prefix + "self_attn.o_proj", HIDDEN, HEADS * HEAD_DIM);
        if (architecture == Architecture.QWEN2) {
            vector(prefix + "self_attn.q_proj.bias", HEADS * HEAD_DIM, 0, 0.3);
            vector(prefix + "self_attn.k_proj.bias", kvHeads * HEAD_DIM, 0, 0.3);
            vector(prefix + "self_attn.v_proj.bias", kvHeads * HEAD_DIM, 0, 0.3);
        }
        if (architecture == Architecture.QWEN3) {
            gain(prefix + "self_attn.q_norm", HEAD_DIM);
            gain(prefix + "self_attn.k_norm", HEAD_DIM);
        }
        gain(prefix + "post_attention_layernorm", HIDDEN);
        if (architecture != Architecture.MIXTRAL) {
            mlp(prefix + "mlp.", "gate_proj", "up_proj", "down_proj");
            return;
        }
        matrix(prefix + "block_sparse_moe.gate", EXPERTS, HIDDEN);
        for (int e = 0; e < EXPERTS; e++) {
            mlp(prefix + "block_sparse_moe.experts.%d.".formatted(e), "w1", "w3", "w2");
        }
    }

    private void mlp(String prefix, String gate, String up, String down) {
        matrix(prefix + gate, INTERMEDIATE, HIDDEN);
        matrix(prefix + up, INTERMEDIATE, HIDDEN);
        matrix(prefix + down, HIDDEN, INTERMEDIATE);
    }

    private void matrix(String module, int rows, int columns) {
        float[] values = gaussian(rows * columns, 0, 1.2 / Math.sqrt(columns));
        tensors.put(module + ".weight", Tensor.ofFloats(values, rows, columns));
    }

    private void gain(String module, int width) {
        vector(module + ".weight", width, 1, 0.2);
    }

    private void vector(String name, int width, double mean, double deviation) {
        tensors.put(name, Tensor.ofFloats(gaussian(width, mean, deviation), width));
    }

    private float[] gaussian(int count, double mean, double deviation) {
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (mean + deviation * random.nextGaussian());
        }
        return values;
    }

    /// One of its tensors.
    public Tensor tensor(String name) {
        return Objects.requireNonNull(tensors.get(name), name);
    }

    /// Token ids of this model's vocabulary, from a fixed seed.
    public static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, VOCAB).toArray();
    }

    /// Writes the checkpoint into a directory that exists.
    public Path write(Path directory) throws IOException {
        Files.writeString(directory.resolve("config.json"), config.toString());
        SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        return directory;
    }
}
