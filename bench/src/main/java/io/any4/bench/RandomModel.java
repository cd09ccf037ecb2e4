package io.any4.bench;

import io.any4.checkpoint.SafetensorsWriter;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Writes a checkpoint of the shape of Llama-3.2-1B with random any4 weights, the tied embedding among them, to measure
/// speed with: `RandomModel DIR [group size]`. It has no tokenizer.
final class RandomModel {
    private final int groupSize;
    private final QuantizationSpec spec;
    private final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
    private final List<Any4Config.Module> modules = new ArrayList<>();

    private RandomModel(int groupSize) {
        this.groupSize = groupSize;
        this.spec = QuantizationSpec.parse("any4").with("group-size", String.valueOf(groupSize));
    }

    public static void main(String[] args) throws IOException {
        Path directory = Path.of(args[0]);
        new RandomModel(args.length > 1 ? Integer.parseInt(args[1]) : 128).write(directory);
    }

    private void write(Path directory) throws IOException {
        addLinear("model.embed_tokens", Llama1b.VOCABULARY, Llama1b.HIDDEN);
        for (int layer = 0; layer < Llama1b.LAYERS; layer++) {
            addLayer("model.layers." + layer + ".");
        }
        addNorm("model.norm.weight");
        Files.createDirectories(directory);
        SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        ObjectNode config = (ObjectNode) JsonMapper.shared().readTree(Llama1b.config(Llama1b.LAYERS));
        Any4Config.addTo(config, spec, modules, List.of(), null);
        Files.writeString(directory.resolve("config.json"), config.toPrettyString());
    }

    private void addLayer(String prefix) {
        addNorm(prefix + "input_layernorm.weight");
        addNorm(prefix + "post_attention_layernorm.weight");
        Llama1b.layer().forEach((name, linear) -> addLinear(prefix + name, linear.rows(), linear.columns()));
    }

    private void addLinear(String name, int rows, int columns) {
        tensors.putAll(Any4Format.tensors(name, RandomWeight.of("any4", rows, columns, groupSize)));
        modules.add(new Any4Config.Module(name, spec, rows, columns));
    }

    private void addNorm(String name) {
        float[] ones = new float[Llama1b.HIDDEN];
        Arrays.fill(ones, 1f);
        tensors.put(name, Tensor.ofFloats(DType.BF16, ones, Llama1b.HIDDEN));
    }
}
