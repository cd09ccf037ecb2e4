package io.any4.calibrate;

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

/// A checkpoint with everything a job has to tell apart: two blocks with attention and two experts each, routers,
/// norms, a bias, embeddings and a head.
final class TinyCheckpoint {
    static final int HIDDEN = 48;

    private TinyCheckpoint() {}

    static SequencedMap<String, Tensor> tensors() {
        Random random = new Random(42);
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("lm_head.weight", gaussian(random, DType.BF16, 40, HIDDEN));
        tensors.put("model.norm.weight", gaussian(random, DType.F32, HIDDEN));
        for (int block = 1; block >= 0; block--) {
            String prefix = "model.layers." + block + ".";
            for (String name : new String[] {"q_proj", "k_proj", "v_proj", "o_proj"}) {
                tensors.put(prefix + "self_attn." + name + ".weight", gaussian(random, DType.BF16, HIDDEN, HIDDEN));
            }
            tensors.put(prefix + "self_attn.q_proj.bias", gaussian(random, DType.BF16, HIDDEN));
            tensors.put(prefix + "input_layernorm.weight", gaussian(random, DType.BF16, HIDDEN));
            tensors.put(prefix + "block_sparse_moe.gate.weight", gaussian(random, DType.BF16, 2, HIDDEN));
            for (int expert = 0; expert < 2; expert++) {
                String path = prefix + "block_sparse_moe.experts." + expert + ".";
                tensors.put(path + "w1.weight", gaussian(random, DType.F16, 52, HIDDEN));
                tensors.put(path + "w2.weight", gaussian(random, DType.F16, HIDDEN, 52));
                tensors.put(path + "w3.weight", gaussian(random, DType.F16, 52, HIDDEN));
            }
        }
        tensors.put("model.embed_tokens.weight", gaussian(random, DType.BF16, 40, HIDDEN));
        return tensors;
    }

    private static Tensor gaussian(Random random, DType dtype, long... dims) {
        int count = 1;
        for (long dim : dims) {
            count *= (int) dim;
        }
        float[] values = new float[count];
        for (int i = 0; i < count; i++) {
            values[i] = (float) (0.05 * random.nextGaussian());
        }
        return Tensor.ofFloats(dtype, values, dims);
    }

    static Path write(Path directory) throws IOException {
        return write(directory, tensors());
    }

    static Path write(Path directory, SequencedMap<String, Tensor> tensors) throws IOException {
        Files.createDirectories(directory);
        SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        Files.writeString(directory.resolve("config.json"), "{\"model_type\": \"mixtral\", \"hidden_size\": 48}");
        Files.writeString(directory.resolve("tokenizer.json"), "{}");
        Files.writeString(directory.resolve("generation_config.json"), "{\"eos_token_id\": 2}");
        Files.writeString(directory.resolve("README.md"), "the original");
        return directory;
    }
}
