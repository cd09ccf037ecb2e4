package io.any4.quant;

import io.any4.checkpoint.JsonFiles;
import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import java.util.Collection;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Writes the `quantization_config` that [Any4Format] reads.
public final class Any4Config {
    /// What made the files, for people who find them.
    private static final String QUANTIZER = "any4j 0.1";

    /// A module that is quantized.
    ///
    /// @param name path without `.weight`
    public record Module(String name, QuantizationSpec spec, long rows, int columns) {}

    private Any4Config() {}

    /// Adds the `quantization_config` of a quantized model to its `config.json`.
    ///
    /// @param config of the unquantized model; changed, but for its [InputTransforms]
    /// @param spec of all modules that do not differ
    /// @param modules all that are quantized
    /// @param notConverted linear modules and embeddings that are not
    /// @param calibration where statistics came from, or null if there were none
    public static void addTo(
            ObjectNode config,
            QuantizationSpec spec,
            Collection<Module> modules,
            List<String> notConverted,
            @Nullable ObjectNode calibration) {
        ArrayNode transforms = InputTransforms.steps(config);
        ObjectNode node = config.putObject(Any4Format.CONFIG_KEY);
        node.put("quant_method", Any4Format.METHOD);
        node.put("version", Any4Format.VERSION);
        ObjectNode usual = settings(spec);
        node.setAll(usual);
        node.put("packing", Any4Format.PACKING);
        ArrayNode excluded = node.putArray("modules_to_not_convert");
        notConverted.forEach(excluded::add);
        ObjectNode overrides = node.putObject("overrides");
        for (Module module : modules) {
            ObjectNode own = difference(settings(module), usual);
            if (!own.isEmpty()) {
                overrides.set(module.name(), own);
            }
        }
        InputTransforms.restore(
                node,
                transforms,
                modules.stream().anyMatch(module -> module.spec().quantizesInputs()));
        node.put("quantizer", QUANTIZER);
        node.put("recipe", spec.describe());
        if (calibration != null) {
            node.set("calibration", calibration);
        }
    }

    private static ObjectNode settings(QuantizationSpec spec) {
        ObjectNode node = JsonFiles.object();
        node.put("bits", spec.bits());
        node.put(
                "group_size",
                spec.groupSize() == QuantizationSpec.PER_ROW ? ModuleSettings.WHOLE_ROW : spec.groupSize());
        node.put("sym", !spec.hasZero());
        if (spec.bits() < 8) {
            node.put("lut_granularity", spec.sharesTable() ? "tensor" : "row");
            node.put("lut_dtype", name(spec.metadata()));
        }
        node.put("scale_dtype", name(spec.scaleType()));
        return node;
    }

    private static ObjectNode settings(Module module) {
        ObjectNode node = settings(module.spec());
        int bits = module.spec().bits();
        int bytes = BitPacking.rowBytes(module.columns(), bits);
        if (ModuleSettings.inferredColumns(bytes, bits) != module.columns()) {
            node.put("in_features", module.columns());
        }
        return node;
    }

    private static ObjectNode difference(ObjectNode own, ObjectNode usual) {
        ObjectNode difference = JsonFiles.object();
        for (Map.Entry<String, JsonNode> entry : own.properties()) {
            if (!entry.getValue().equals(usual.get(entry.getKey()))) {
                difference.set(entry.getKey(), entry.getValue());
            }
        }
        return difference;
    }

    /// The name PyTorch gives a type.
    private static String name(DType dtype) {
        return switch (dtype) {
            case F32 -> "float32";
            case F16 -> "float16";
            case BF16 -> "bfloat16";
            case E8M0 -> "float8_e8m0fnu";
            case I8 -> "int8";
            default -> dtype.name().toLowerCase(Locale.ROOT);
        };
    }
}
