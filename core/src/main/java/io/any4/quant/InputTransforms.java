package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Rotation;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What a model's `quantization_config` says about the inputs of its linear layers: `input_transforms`, a list of
/// steps.
///
///     {"modules": "*.mlp.down_proj", "type": "hadamard", "width": 8192, "seed": 0}
///
/// Every step whose pattern matches a module is applied to its input, in order, before the weight is. A config with
/// such steps is of version 2; one without `bits` belongs to a model whose weights are not quantized.
public final class InputTransforms {
    private static final String KEY = "input_transforms";
    private static final String HADAMARD = "hadamard";

    private record Step(ModulePattern modules, InputTransform transform) {}

    private final List<Step> steps;

    private InputTransforms(List<Step> steps) {
        this.steps = steps;
    }

    /// Reads them from a model's `config.json`; there may be none.
    ///
    /// @throws InvalidInputException if one is malformed or of an unknown type
    public static InputTransforms of(JsonNode config) {
        List<Step> steps = new ArrayList<>();
        for (JsonNode step : config.path(Any4Format.CONFIG_KEY).path(KEY)) {
            String pattern = step.path("modules").asString("");
            steps.add(new Step(ModulePattern.parse(pattern), transform(step)));
        }
        return new InputTransforms(steps);
    }

    private static InputTransform transform(JsonNode step) {
        String type = step.path("type").asString("");
        if (type.equals(HADAMARD)) {
            return new Rotation(positive(step, "width"), step.path("seed").asLong(0));
        }
        throw new InvalidInputException(
                "quantization_config has the input transform '%s', which this program does not know: update it"
                        .formatted(type));
    }

    private static int positive(JsonNode step, String key) {
        JsonNode value = step.path(key);
        if (!value.isInt() || value.intValue() <= 0) {
            throw new InvalidInputException(
                    "quantization_config has an input transform with %s for %s, expected a positive number"
                            .formatted(value, key));
        }
        return value.intValue();
    }

    /// What is to be done to the input of a module.
    ///
    /// @param width of that input
    /// @throws InvalidInputException if a transform is for another width
    public List<InputTransform> of(String module, int width) {
        List<InputTransform> transforms = new ArrayList<>();
        for (Step step : steps) {
            if (step.modules().matches(module)) {
                if (step.transform().width() != width) {
                    throw new InvalidInputException(
                            "quantization_config transforms inputs of width %d for %s, which has %d: it belongs to another model"
                                    .formatted(step.transform().width(), module, width));
                }
                transforms.add(step.transform());
            }
        }
        return transforms;
    }

    /// Declares that the inputs of some modules are rotated; quantized or not, the model cannot be read without.
    ///
    /// @param config a `config.json`; changed
    /// @param modules pattern of the modules
    public static void add(ObjectNode config, String modules, Rotation rotation) {
        ObjectNode node = config.withObject(Any4Format.CONFIG_KEY);
        node.put("quant_method", Any4Format.METHOD);
        node.put("version", Any4Format.VERSION_WITH_TRANSFORMS);
        node.withArray(KEY)
                .addObject()
                .put("modules", modules)
                .put("type", HADAMARD)
                .put("width", rotation.width())
                .put("seed", rotation.seed());
    }

    /// Whether a model is unquantized as far as its weights go: with no `quantization_config`, or one that has
    /// transforms only.
    public static boolean weightsAreOriginal(JsonNode config) {
        JsonNode node = config.path(Any4Format.CONFIG_KEY);
        return node.isMissingNode()
                || node.isNull()
                || node.path("quant_method").asString("").equals(Any4Format.METHOD)
                        && node.has(KEY)
                        && !node.has("bits");
    }

    /// The steps of a model's `config.json`, to be carried over; often none.
    static ArrayNode steps(JsonNode config) {
        JsonNode node = config.path(Any4Format.CONFIG_KEY).path(KEY);
        return node instanceof ArrayNode array
                ? array.deepCopy()
                : JsonFiles.object().putArray(KEY);
    }

    /// Puts carried-over steps back.
    static void restore(ObjectNode quantizationConfig, ArrayNode steps) {
        if (!steps.isEmpty()) {
            quantizationConfig.put("version", Any4Format.VERSION_WITH_TRANSFORMS);
            quantizationConfig.set(KEY, steps);
        }
    }
}
