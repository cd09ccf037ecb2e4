package io.any4.quant;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.TensorSpec;
import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.FloatActivations;
import io.any4.tinygemm.FpFormat;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Rotation;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// What a model's `quantization_config` says about the inputs of its linear layers: `input_transforms`, a list of
/// steps.
///
///     {"modules": "*.mlp.down_proj", "type": "hadamard", "width": 8192, "seed": 0}
///     {"modules": "*", "type": "float"}
///
/// The second concerns only modules `P` with the tensors
///
///     P.input_scale     F32 [in]: the scale of each channel, see FloatActivations
///     P.input_format    U8 [2]: exponent and mantissa bits
///
/// Every step whose pattern matches a module is applied to its input, in order, before the weight is. A config with
/// such steps is of version 2; one without `bits` belongs to a model whose weights are not quantized.
public final class InputTransforms {
    private static final String KEY = "input_transforms";
    private static final String HADAMARD = "hadamard";
    private static final String FLOAT = "float";
    private static final String SCALE = ".input_scale";
    private static final String FORMAT = ".input_format";

    /// @param rotation what to do, or null to round to what a module's tensors say
    private record Step(ModulePattern modules, @Nullable Rotation rotation) {}

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
            steps.add(new Step(ModulePattern.parse(pattern), rotation(step)));
        }
        return new InputTransforms(steps);
    }

    private static @Nullable Rotation rotation(JsonNode step) {
        String type = step.path("type").asString("");
        return switch (type) {
            case HADAMARD ->
                new Rotation(positive(step, "width"), step.path("seed").asLong(0));
            case FLOAT -> null;
            default ->
                throw new InvalidInputException(
                        "quantization_config has the input transform '%s', which this program does not know: update it"
                                .formatted(type));
        };
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
    /// @param checkpoint with the tensors of the module
    /// @param width of that input
    /// @throws InvalidInputException if a transform is for another width
    public List<InputTransform> of(Checkpoint checkpoint, String module, int width) {
        List<InputTransform> transforms = new ArrayList<>();
        for (Step step : steps) {
            if (step.modules().matches(module)) {
                Rotation rotation = step.rotation();
                if (rotation != null) {
                    transforms.add(fitting(rotation, module, width));
                } else if (checkpoint.contains(module + SCALE)) {
                    transforms.add(fitting(floats(checkpoint, module), module, width));
                }
            }
        }
        return transforms;
    }

    private static InputTransform fitting(InputTransform transform, String module, int width) {
        if (transform.width() != width) {
            throw new InvalidInputException(
                    "quantization_config transforms inputs of width %d for %s, which has %d: it belongs to another model"
                            .formatted(transform.width(), module, width));
        }
        return transform;
    }

    private static FloatActivations floats(Checkpoint checkpoint, String module) {
        Tensor format = checkpoint.tensor(module + FORMAT);
        try {
            if (format.dtype() != DType.U8 || format.elements() != 2) {
                throw new IllegalArgumentException("the format is %s %s".formatted(format.dtype(), format.shape()));
            }
            FpFormat bits = new FpFormat((int) format.getFloat(0), (int) format.getFloat(1));
            return new FloatActivations(bits, checkpoint.tensor(module + SCALE).toFloats());
        } catch (IllegalArgumentException e) {
            throw new InvalidInputException(
                    "the tensors %s%s and %s in %s cannot be used (%s): get the model again"
                            .formatted(module, SCALE, FORMAT, checkpoint.directory(), e.getMessage()),
                    e);
        }
    }

    /// The tensors that [FloatActivations] for the inputs of a module are stored in.
    static List<TensorSpec> specs(String module, int columns) {
        return List.of(
                new TensorSpec(module + SCALE, DType.F32, Shape.of(columns)),
                new TensorSpec(module + FORMAT, DType.U8, Shape.of(2)));
    }

    /// The tensors to store for a module whose inputs are rounded, by name.
    public static SequencedMap<String, Tensor> tensors(String module, FloatActivations activations) {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put(module + SCALE, Tensor.ofFloats(activations.scales(), activations.width()));
        Tensor format = Tensor.allocate(Arena.ofAuto(), DType.U8, 2);
        format.setFloat(0, activations.format().exponentBits());
        format.setFloat(1, activations.format().mantissaBits());
        tensors.put(module + FORMAT, format);
        return tensors;
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

    /// Puts carried-over steps back, and the one for inputs that are rounded after them.
    static void restore(ObjectNode quantizationConfig, ArrayNode steps, boolean roundsInputs) {
        if (roundsInputs) {
            steps.addObject().put("modules", "*").put("type", FLOAT);
        }
        if (!steps.isEmpty()) {
            quantizationConfig.put("version", Any4Format.VERSION_WITH_TRANSFORMS);
            quantizationConfig.set(KEY, steps);
        }
    }
}
