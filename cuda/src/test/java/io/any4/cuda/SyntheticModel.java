package io.any4.cuda;

import io.any4.checkpoint.CheckpointLayout;
import io.any4.checkpoint.CheckpointWriter;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.TensorSpec;
import io.any4.cuda.RandomWeights.Kind;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import tools.jackson.databind.node.ObjectNode;

/// A Llama or Mixtral of a given shape with random any4 weights, written as a checkpoint: it says how fast a real
/// one would be.
///
/// @param heads query heads, each of `hidden / heads` elements
/// @param tied whether the head is the embedding
/// @param experts networks of each block, of which a token takes two; 0 for a single one
record SyntheticModel(
        String name,
        int layers,
        int hidden,
        int intermediate,
        int heads,
        int kvHeads,
        int vocabulary,
        boolean tied,
        int experts) {
    static final SyntheticModel TINY = new SyntheticModel("tiny", 2, 128, 256, 4, 2, 64, false, 0);
    static final SyntheticModel TINY_EXPERTS = new SyntheticModel("tiny-moe", 2, 128, 128, 4, 2, 64, false, 5);
    static final SyntheticModel LLAMA_1B = new SyntheticModel("Llama-3.2-1B", 16, 2048, 8192, 32, 8, 128256, true, 0);
    static final SyntheticModel LLAMA_8B = new SyntheticModel("Llama-3-8B", 32, 4096, 14336, 32, 8, 128256, false, 0);

    private static final String SPEC = "any4";
    private static final int GROUP = 128;

    /// Writes the checkpoint. Matrices of one shape are the same, but for those of experts: where they lie in memory
    /// differs, which is what counts.
    void write(Path directory) throws IOException {
        Files.createDirectories(directory);
        RandomWeights random = new RandomWeights(51);
        Map<String, Weight> weights = new LinkedHashMap<>();
        Map<List<Integer>, Weight> shapes = new HashMap<>();
        int kvWidth = hidden / heads * kvHeads;
        for (int layer = 0; layer < layers; layer++) {
            String block = "model.layers." + layer;
            linear(weights, shapes, random, block + ".self_attn.q_proj", hidden, hidden);
            linear(weights, shapes, random, block + ".self_attn.k_proj", kvWidth, hidden);
            linear(weights, shapes, random, block + ".self_attn.v_proj", kvWidth, hidden);
            linear(weights, shapes, random, block + ".self_attn.o_proj", hidden, hidden);
            for (String[] network : networks(block)) {
                shapes.keySet().removeIf(shape -> experts > 0);
                linear(weights, shapes, random, network[0], intermediate, hidden);
                linear(weights, shapes, random, network[1], intermediate, hidden);
                linear(weights, shapes, random, network[2], hidden, intermediate);
            }
        }
        Map<String, Tensor> tensors = new LinkedHashMap<>();
        for (int layer = 0; layer < layers && experts > 0; layer++) {
            Tensor router = ((DenseWeight) random.weight(Kind.DENSE, experts, hidden, 1)).values();
            tensors.put("model.layers.%d.block_sparse_moe.gate.weight".formatted(layer), router);
        }
        weights.forEach((module, weight) -> tensors.putAll(Any4Format.tensors(module, weight)));
        Tensor embedding = ((DenseWeight) random.weight(Kind.DENSE, vocabulary, hidden, 1)).values();
        tensors.put("model.embed_tokens.weight", embedding);
        if (!tied) {
            tensors.put("lm_head.weight", embedding);
        }
        Tensor gain = ones(hidden);
        tensors.put("model.norm.weight", gain);
        for (int layer = 0; layer < layers; layer++) {
            tensors.put("model.layers.%d.input_layernorm.weight".formatted(layer), gain);
            tensors.put("model.layers.%d.post_attention_layernorm.weight".formatted(layer), gain);
        }
        write(directory, tensors);
        Files.writeString(directory.resolve("config.json"), config(weights).toPrettyString());
    }

    /// The modules gate, up and down of each network of a block.
    private List<String[]> networks(String block) {
        if (experts == 0) {
            return List.<String[]>of(
                    new String[] {block + ".mlp.gate_proj", block + ".mlp.up_proj", block + ".mlp.down_proj"});
        }
        List<String[]> networks = new ArrayList<>();
        for (int e = 0; e < experts; e++) {
            String expert = block + ".block_sparse_moe.experts." + e;
            networks.add(new String[] {expert + ".w1", expert + ".w3", expert + ".w2"});
        }
        return networks;
    }

    private static void linear(
            Map<String, Weight> weights,
            Map<List<Integer>, Weight> shapes,
            RandomWeights random,
            String module,
            int rows,
            int columns) {
        weights.put(
                module,
                shapes.computeIfAbsent(
                        List.of(rows, columns), shape -> scaled(random.weight(Kind.ANY4, rows, columns, GROUP))));
    }

    /// Scales that keep activations near 1 through the layers.
    private static Weight scaled(Weight weight) {
        LutWeight lut = (LutWeight) weight;
        float factor = (float) (1 / Math.sqrt(lut.columns()));
        Tensor zero = lut.zero();
        return new LutWeight(
                lut.bits(),
                lut.columns(),
                lut.groupSize(),
                lut.codes(),
                lut.lut(),
                times(lut.scale(), factor),
                zero == null ? null : times(zero, factor));
    }

    private static Tensor times(Tensor tensor, float factor) {
        float[] values = tensor.toFloats();
        for (int i = 0; i < values.length; i++) {
            values[i] *= factor;
        }
        return Tensor.ofFloats(DType.F16, values, tensor.rows(), tensor.columns());
    }

    private static Tensor ones(int width) {
        float[] values = new float[width];
        java.util.Arrays.fill(values, 1);
        return Tensor.ofFloats(DType.BF16, values, width);
    }

    private static void write(Path directory, Map<String, Tensor> tensors) {
        List<TensorSpec> specs = new ArrayList<>();
        tensors.forEach((name, tensor) -> specs.add(TensorSpec.of(name, tensor)));
        CheckpointLayout layout = CheckpointLayout.plan(specs, CheckpointLayout.DEFAULT_SHARD_BYTES, Map.of());
        try (CheckpointWriter writer = CheckpointWriter.open(directory, layout)) {
            tensors.forEach(writer::write);
        }
    }

    private ObjectNode config(Map<String, Weight> weights) {
        ObjectNode config = JsonFiles.object();
        config.putArray("architectures").add(experts == 0 ? "LlamaForCausalLM" : "MixtralForCausalLM");
        if (experts > 0) {
            config.put("num_local_experts", experts).put("num_experts_per_tok", 2);
        }
        config.put("model_type", experts == 0 ? "llama" : "mixtral")
                .put("hidden_size", hidden)
                .put("intermediate_size", intermediate);
        config.put("num_hidden_layers", layers)
                .put("num_attention_heads", heads)
                .put("num_key_value_heads", kvHeads);
        config.put("head_dim", hidden / heads).put("vocab_size", vocabulary).put("max_position_embeddings", 8192);
        config.put("rms_norm_eps", 1e-5).put("rope_theta", 500000.0).put("hidden_act", "silu");
        config.put("tie_word_embeddings", tied).put("torch_dtype", "bfloat16");
        QuantizationSpec spec = QuantizationSpec.parse(SPEC);
        List<Any4Config.Module> modules = new ArrayList<>();
        weights.forEach(
                (module, weight) -> modules.add(new Any4Config.Module(module, spec, weight.rows(), weight.columns())));
        Any4Config.addTo(config, spec, modules, List.of("lm_head", "model.embed_tokens"), null);
        return config;
    }

    /// Bytes a decode step of a model without experts reads at least: every weight but the embedding table, of
    /// which it reads a row.
    long bytesPerToken() {
        long linear = (long) hidden * (2L * hidden + 2L * hidden / heads * kvHeads + 3L * intermediate);
        long rows = 2L * hidden + 2L * hidden / heads * kvHeads + 2L * intermediate + hidden;
        return layers * (linear / 2 + linear / GROUP * 4 + rows * 32) + 2L * vocabulary * hidden;
    }
}
