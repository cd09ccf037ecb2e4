package io.any4.bench;

import io.any4.checkpoint.SafetensorsWriter;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SplittableRandom;

/// Writes an unquantized checkpoint of the shape of Llama-3.2-1B with random bf16 weights, to measure how fast it is
/// quantized: `RandomDenseModel DIR TOKENIZER [layers]`. TOKENIZER is a model directory whose tokenizer it takes.
final class RandomDenseModel {
    private static final int POOL = 1 << 20;

    private final SplittableRandom random = new SplittableRandom(6);
    private final Tensor pool = Tensor.allocate(Arena.ofAuto(), DType.BF16, POOL);
    private final SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();

    private RandomDenseModel() {
        for (int i = 0; i < POOL; i++) {
            pool.setFloat(i, (float) (0.02 * random.nextGaussian()));
        }
    }

    public static void main(String[] args) throws IOException {
        int layers = args.length > 2 ? Integer.parseInt(args[2]) : Llama1b.LAYERS;
        new RandomDenseModel().write(Path.of(args[0]), Path.of(args[1]), layers);
    }

    private void write(Path directory, Path tokenizer, int layers) throws IOException {
        tensors.put("model.embed_tokens.weight", gaussian(Llama1b.VOCABULARY, Llama1b.HIDDEN));
        for (int layer = 0; layer < layers; layer++) {
            addLayer("model.layers." + layer + ".");
        }
        tensors.put("model.norm.weight", ones());
        Files.createDirectories(directory);
        SafetensorsWriter.write(directory.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        Files.writeString(directory.resolve("config.json"), Llama1b.config(layers));
        for (String name : new String[] {"tokenizer.json", "tokenizer_config.json"}) {
            Files.copy(tokenizer.resolve(name), directory.resolve(name));
        }
    }

    private void addLayer(String prefix) {
        tensors.put(prefix + "input_layernorm.weight", ones());
        tensors.put(prefix + "post_attention_layernorm.weight", ones());
        Llama1b.layer()
                .forEach((name, linear) ->
                        tensors.put(prefix + name + ".weight", gaussian(linear.rows(), linear.columns())));
    }

    /// Every row is a part of the pool that begins somewhere else: drawing each weight would take minutes.
    private Tensor gaussian(int rows, int columns) {
        Tensor tensor = Tensor.allocate(Arena.ofAuto(), DType.BF16, rows, columns);
        for (long row = 0; row < rows; row++) {
            long from = 2L * random.nextInt(POOL - columns);
            MemorySegment.copy(pool.data(), from, tensor.data(), 2 * row * columns, 2L * columns);
        }
        return tensor;
    }

    private static Tensor ones() {
        float[] ones = new float[Llama1b.HIDDEN];
        Arrays.fill(ones, 1f);
        return Tensor.ofFloats(DType.BF16, ones, Llama1b.HIDDEN);
    }
}
