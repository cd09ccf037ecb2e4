package io.any4.quant;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.TensorSpec;
import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// How quantized weights lie in a checkpoint: the format "any4", version 1.
///
/// A quantized linear layer `P` of shape `[out, in]` consists of
///
///     P.weight        U8 [out, ceil(in * bits / 8)]: codes as LutWeight packs them; at 8 bits U8 or I8 [out, in]
/// P.weight_lut    float [out, 2^bits], or [1, 2^bits] for a table that all rows share; absent at 8 bits
/// P.weight_scale  float, F8_E8M0 or I8 [out, ceil(in / group_size)]     P.weight_zero   float, shaped like the
/// scales; absent if `sym`
///
/// and an element is `lut * scale + zero` (at 8 bits `code * scale + zero`) with the numbers as stored. Bits,
/// group size and symmetry stand under `quantization_config` in `config.json`, where `overrides` changes them for
/// single modules, in order, keyed by exact name or `re:` and a regular expression. Everything else about a
/// module shows in its tensors; `in_features` is given only where the width of the packed codes leaves it open.
///
/// Loaders without support for the format fail on the shape of `P.weight` instead of running with random weights.
public final class Any4Format {
    public static final String METHOD = "any4";
    public static final int VERSION = 1;
    /// Version 1 and [InputTransforms], without which the weights would be wrong.
    static final int VERSION_WITH_TRANSFORMS = 2;
    static final String CONFIG_KEY = "quantization_config";
    static final String PACKING = "u8_lsb_first";

    private static final String CODES = ".weight";
    private static final String LUT = ".weight_lut";
    private static final String SCALE = ".weight_scale";
    private static final String ZERO = ".weight_zero";

    private record ModuleOverride(ModulePattern pattern, JsonNode settings) {}

    private final @Nullable ModuleSettings defaults;
    private final List<ModuleOverride> overrides;

    private Any4Format(@Nullable ModuleSettings defaults, List<ModuleOverride> overrides) {
        this.defaults = defaults;
        this.overrides = overrides;
    }

    /// The format that a model's `config.json` declares; without a `quantization_config` every weight is
    /// unquantized.
    ///
    /// @throws InvalidInputException if the model is quantized in another way or the settings are malformed
    public static Any4Format of(JsonNode config) {
        JsonNode node = config.path(CONFIG_KEY);
        if (node.isMissingNode() || node.isNull()) {
            return new Any4Format(null, List.of());
        }
        requireSupported(node);
        List<ModuleOverride> overrides = new ArrayList<>();
        for (Map.Entry<String, JsonNode> entry : node.path("overrides").properties()) {
            overrides.add(new ModuleOverride(ModulePattern.parse(entry.getKey()), entry.getValue()));
        }
        return new Any4Format(new ModuleSettings(4, 128, false, 0).with(node), overrides);
    }

    private static void requireSupported(JsonNode node) {
        String method = node.path("quant_method").asString("unknown");
        if (!method.equals(METHOD)) {
            throw new InvalidInputException(
                    "the model is quantized by %s, which cannot be read: use the unquantized model, or one with quant_method any4"
                            .formatted(method));
        }
        JsonNode version = node.path("version");
        if (version.isMissingNode()) {
            throw new InvalidInputException(
                    "quantization_config does not say its version: add \"version\": " + VERSION);
        }
        if (!version.isIntegralNumber()
                || version.intValue() < VERSION
                || version.intValue() > VERSION_WITH_TRANSFORMS) {
            throw new InvalidInputException(
                    "the model has version %s of the any4 format, and this program reads versions %d and %d: update it"
                            .formatted(version, VERSION, VERSION_WITH_TRANSFORMS));
        }
        String packing = node.path("packing").asString(PACKING);
        if (!packing.equals(PACKING)) {
            throw new InvalidInputException(
                    "the model's codes are packed as %s, but only %s is supported".formatted(packing, PACKING));
        }
    }

    /// Whether the model declares quantized weights.
    public boolean quantized() {
        return defaults != null;
    }

    /// Reads the weight of a linear layer or an embedding; see [#read(Checkpoint, String)].
    public static Weight read(Checkpoint checkpoint, String module, JsonNode config) {
        return of(config).read(checkpoint, module);
    }

    /// The weight of a linear layer or an embedding: dense if `module.weight` holds floats, else quantized.
    /// Nothing is copied; the result ends with the checkpoint.
    ///
    /// @param module path without `.weight`, such as `model.layers.0.mlp.down_proj`
    /// @throws InvalidInputException if tensors are missing or do not fit together
    public Weight read(Checkpoint checkpoint, String module) {
        Tensor codes = checkpoint.tensor(module + CODES);
        if (codes.shape().rank() != 2) {
            throw new InvalidInputException("tensor %s%s in %s has shape %s, expected a matrix"
                    .formatted(module, CODES, checkpoint.directory(), codes.shape()));
        }
        if (codes.dtype().isFloat()) {
            return new DenseWeight(codes);
        }
        try {
            return assemble(checkpoint::tensor, module, settings(module, codes.dtype()));
        } catch (IllegalArgumentException e) {
            throw new InvalidInputException(
                    "the tensors of %s in %s do not fit together or their quantization_config: %s"
                            .formatted(module, checkpoint.directory(), e.getMessage()),
                    e);
        }
    }

    private ModuleSettings settings(String module, DType codes) {
        ModuleSettings settings = defaults;
        if (settings == null) {
            throw new InvalidInputException(
                    "tensor %s%s has type %s, but config.json has no quantization_config that says how to read it"
                            .formatted(module, CODES, codes));
        }
        for (ModuleOverride override : overrides) {
            if (override.pattern().matches(module)) {
                settings = settings.with(override.settings());
            }
        }
        return settings;
    }

    /// The weight that a quantizer with this specification has made of a module with `columns` input features.
    ///
    /// @param tensors finds a tensor by its full name
    public static Weight assemble(Function<String, Tensor> tensors, String module, QuantizationSpec spec, int columns) {
        return assemble(
                tensors, module, new ModuleSettings(spec.bits(), spec.groupSize(columns), !spec.hasZero(), columns));
    }

    private static Weight assemble(Function<String, Tensor> tensors, String module, ModuleSettings settings) {
        Tensor codes = tensors.apply(module + CODES);
        int columns = settings.columns(codes.columns());
        int groupSize = settings.groupSize() == ModuleSettings.WHOLE_ROW ? columns : settings.groupSize();
        Shape perGroup = Shape.of(codes.rows(), Math.ceilDiv(columns, groupSize));
        Tensor scale = tensors.apply(module + SCALE);
        require(
                scale.dtype().isFloat() || scale.dtype() == DType.E8M0 || scale.dtype() == DType.I8,
                module + SCALE,
                scale);
        require(scale.shape().equals(perGroup), module + SCALE, scale);
        Tensor zero = settings.symmetric() ? null : tensors.apply(module + ZERO);
        require(zero == null || zero.dtype().isFloat() && zero.shape().equals(perGroup), module + ZERO, zero);
        if (settings.bits() == 8) {
            return new IntWeight(groupSize, codes, scale, zero);
        }
        Tensor lut = tensors.apply(module + LUT);
        require(lut.dtype().isFloat() && lut.shape().rank() == 2, module + LUT, lut);
        return new LutWeight(settings.bits(), columns, groupSize, codes, lut, scale, zero);
    }

    private static void require(boolean fits, String name, @Nullable Tensor tensor) {
        if (!fits && tensor != null) {
            throw new IllegalArgumentException("%s is %s %s".formatted(name, tensor.dtype(), tensor.shape()));
        }
    }

    /// The tensors to store for a weight, by name.
    public static SequencedMap<String, Tensor> tensors(String module, Weight weight) {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        switch (weight) {
            case DenseWeight dense -> tensors.put(module + CODES, dense.values());
            case LutWeight lut -> {
                tensors.put(module + CODES, lut.codes());
                tensors.put(module + LUT, lut.lut());
                putSides(tensors, module, lut.scale(), lut.zero());
            }
            case IntWeight integers -> {
                tensors.put(module + CODES, integers.codes());
                putSides(tensors, module, integers.scale(), integers.zero());
            }
        }
        return tensors;
    }

    private static void putSides(Map<String, Tensor> tensors, String module, Tensor scale, @Nullable Tensor zero) {
        tensors.put(module + SCALE, scale);
        if (zero != null) {
            tensors.put(module + ZERO, zero);
        }
    }

    /// Name, type and shape of the tensors that [#tensors] will give for a `[rows, columns]` weight quantized by
    /// `spec`, and [InputTransforms#tensors] if it quantizes inputs.
    public static List<TensorSpec> specs(String module, QuantizationSpec spec, long rows, int columns) {
        List<TensorSpec> specs = new ArrayList<>();
        DType codes = spec.bits() == 8 && !spec.hasZero() ? DType.I8 : DType.U8;
        specs.add(new TensorSpec(module + CODES, codes, Shape.of(rows, BitPacking.rowBytes(columns, spec.bits()))));
        if (spec.bits() < 8) {
            Shape table = Shape.of(spec.sharesTable() ? 1 : rows, spec.method().levels());
            specs.add(new TensorSpec(module + LUT, spec.metadata(), table));
        }
        Shape perGroup = Shape.of(rows, Math.ceilDiv(columns, spec.groupSize(columns)));
        specs.add(new TensorSpec(module + SCALE, spec.scaleType(), perGroup));
        if (spec.hasZero()) {
            specs.add(new TensorSpec(module + ZERO, spec.metadata(), perGroup));
        }
        if (spec.quantizesInputs()) {
            specs.addAll(InputTransforms.specs(module, columns));
        }
        return specs;
    }
}
