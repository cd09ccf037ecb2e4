package io.any4.cli;

import io.any4.checkpoint.Checkpoint;
import io.any4.quant.Any4Format;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Weight;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import tools.jackson.databind.JsonNode;

/// What a checkpoint holds, counted without running it.
///
/// @param parameters weights of the whole model, quantized or not
/// @param bytes size of all tensors
/// @param linearBitsPerWeight storage per weight of the matrices in the blocks, side data included
/// @param settings how it is quantized, or the element type of most of an unquantized model
record CheckpointSummary(long parameters, long bytes, double linearBitsPerWeight, String settings) {
    private static final String WEIGHT = ".weight";

    /// Bits over all weights of the model.
    double bitsPerWeight() {
        return 8.0 * bytes / parameters;
    }

    static CheckpointSummary of(Checkpoint checkpoint) {
        JsonNode config = checkpoint.config();
        Any4Format format = Any4Format.of(config);
        long parameters = 0;
        long bytes = 0;
        long linearWeights = 0;
        long linearBytes = 0;
        Map<DType, Long> bytesOfType = new LinkedHashMap<>();
        for (String name : checkpoint.names()) {
            Tensor tensor = checkpoint.tensor(name);
            bytes += tensor.data().byteSize();
            bytesOfType.merge(tensor.dtype(), tensor.data().byteSize(), Long::sum);
            if (isSideData(name)) {
                continue;
            }
            if (!name.endsWith(WEIGHT) || tensor.shape().rank() != 2) {
                parameters += tensor.elements();
                continue;
            }
            Weight weight = format.read(checkpoint, name.substring(0, name.length() - WEIGHT.length()));
            long elements = (long) weight.rows() * weight.columns();
            parameters += elements;
            if (name.startsWith("model.layers.")) {
                linearWeights += elements;
                linearBytes += weight.bytes();
            }
        }
        return new CheckpointSummary(
                parameters, bytes, 8.0 * linearBytes / Math.max(1, linearWeights), settings(config, bytesOfType));
    }

    private static final Set<String> SIDE_DATA =
            Set.of("weight_lut", "weight_scale", "weight_zero", "input_scale", "input_format");

    /// Tables, scales and zeros belong to the weight beside them.
    private static boolean isSideData(String name) {
        return SIDE_DATA.contains(name.substring(name.lastIndexOf('.') + 1));
    }

    private static String settings(JsonNode config, Map<DType, Long> bytesOfType) {
        JsonNode quantization = config.path("quantization_config");
        if (quantization.isObject()) {
            return quantization
                    .path("recipe")
                    .asString(quantization.path("quant_method").asString("quantized"));
        }
        return bytesOfType.entrySet().stream()
                .max(Map.Entry.comparingByValue())
                .map(entry -> entry.getKey().name().toLowerCase(Locale.ROOT))
                .orElse("empty");
    }
}
