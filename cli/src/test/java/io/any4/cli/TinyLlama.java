package io.any4.cli;

import io.any4.checkpoint.SafetensorsWriter;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Random;
import java.util.SequencedMap;

/// A Llama with random weights, small enough to be written for every test, with the tokenizer of the demo model.
final class TinyLlama {
    static final Path DEMO = Path.of("..", "models", "demo");
    static final int CONTEXT = 64;

    private static final int HIDDEN = 32;
    private static final int INNER = 48;
    private static final int VOCABULARY = 2048;
    private static final String CONFIG = """
            {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
             "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": 16,
             "vocab_size": 2048, "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
             "hidden_act": "silu", "tie_word_embeddings": true, "bos_token_id": 0, "eos_token_id": 1}
            """;

    private TinyLlama() {}

    static SequencedMap<String, Tensor> tensors() {
        Random random = new Random(7);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("model.embed_tokens.weight", gaussian(random, VOCABULARY, HIDDEN));
        for (int block = 0; block < 2; block++) {
            String prefix = "model.layers." + block + ".";
            tensors.put(prefix + "input_layernorm.weight", gaussian(random, HIDDEN));
            tensors.put(prefix + "self_attn.q_proj.weight", gaussian(random, HIDDEN, HIDDEN));
            tensors.put(prefix + "self_attn.k_proj.weight", gaussian(random, HIDDEN / 2, HIDDEN));
            tensors.put(prefix + "self_attn.v_proj.weight", gaussian(random, HIDDEN / 2, HIDDEN));
            tensors.put(prefix + "self_attn.o_proj.weight", gaussian(random, HIDDEN, HIDDEN));
            tensors.put(prefix + "post_attention_layernorm.weight", gaussian(random, HIDDEN));
            tensors.put(prefix + "mlp.gate_proj.weight", gaussian(random, INNER, HIDDEN));
            tensors.put(prefix + "mlp.up_proj.weight", gaussian(random, INNER, HIDDEN));
            tensors.put(prefix + "mlp.down_proj.weight", gaussian(random, HIDDEN, INNER));
        }
        tensors.put("model.norm.weight", gaussian(random, HIDDEN));
        return tensors;
    }

    private static Tensor gaussian(Random random, long... dims) {
        float[] values = new float[(int) (dims.length == 1 ? dims[0] : dims[0] * dims[1])];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.3 * random.nextGaussian());
        }
        return Tensor.ofFloats(DType.BF16, values, dims);
    }

    static Path write(Path directory) throws IOException {
        return write(directory, tensors());
    }

    static Path write(Path directory, SequencedMap<String, Tensor> tensors) throws IOException {
        Files.createDirectories(directory);
        SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        Files.writeString(directory.resolve("config.json"), CONFIG);
        for (String name : new String[] {"tokenizer.json", "tokenizer_config.json"}) {
            Files.copy(DEMO.resolve(name), directory.resolve(name));
        }
        return directory;
    }
}
