package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.CheckpointLayout;
import io.any4.checkpoint.HuggingFaceFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.TensorSpec;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.InputTransforms;
import io.any4.quant.Method;
import io.any4.quant.ModulePattern;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.Tensor;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// Decides for every tensor of a checkpoint what becomes of it.
final class Planner {
    private final Checkpoint checkpoint;
    private final QuantizationSettings settings;
    private final @Nullable ObjectNode provenance;

    private final List<Any4Config.Module> modules = new ArrayList<>();
    private final List<String> copies = new ArrayList<>();
    private final List<String> notConverted = new ArrayList<>();
    private final List<String> candidates = new ArrayList<>();
    private final List<TensorSpec> output = new ArrayList<>();

    Planner(Checkpoint checkpoint, QuantizationSettings settings, @Nullable ObjectNode provenance) {
        this.checkpoint = checkpoint;
        this.settings = settings;
        this.provenance = provenance;
    }

    QuantizationPlan plan() {
        ObjectNode config = JsonFiles.read(checkpoint.directory().resolve("config.json"));
        requireUnquantized(config);
        for (String name : ModelTensors.ordered(checkpoint.names())) {
            place(name, checkpoint.tensor(name));
        }
        modules.sort(
                Comparator.comparing(module -> ModelTensors.block(module.name()).isEmpty()));
        checkPatterns();
        listHead();
        Any4Config.addTo(config, settings.spec(), modules, notConverted, provenance);
        byte[] json = JsonFiles.pretty(config);
        CheckpointLayout layout = CheckpointLayout.plan(output, settings.maxShardBytes(), metadata());
        return new QuantizationPlan(
                checkpoint,
                List.copyOf(modules),
                List.copyOf(copies),
                layout,
                json,
                HuggingFaceFiles.carriedOver(checkpoint.directory()),
                Fingerprint.of(checkpoint, settings, json));
    }

    private void requireUnquantized(ObjectNode config) {
        if (!InputTransforms.weightsAreOriginal(config)) {
            throw new InvalidInputException(
                    "the model in %s is quantized already (quant_method %s): start from the original"
                            .formatted(
                                    checkpoint.directory(),
                                    config.path("quantization_config")
                                            .path("quant_method")
                                            .asString("unknown")));
        }
    }

    private void place(String name, Tensor tensor) {
        ModelTensors.Role role = ModelTensors.role(name, tensor);
        String module = ModelTensors.module(name);
        boolean wanted = switch (role) {
            case LINEAR -> true;
            case HEAD -> settings.includeHead();
            case EMBEDDING -> settings.includeEmbeddings();
            case OTHER -> false;
        };
        if (wanted) {
            candidates.add(module);
        }
        if (wanted && !settings.skips(module)) {
            QuantizationSpec spec = settings.specOf(module);
            if (role == ModelTensors.Role.EMBEDDING && spec.quantizesInputs()) {
                spec = spec.with("method", Method.FPQ_W4A16.id()); // ids cannot be rounded
            }
            int columns = Math.toIntExact(tensor.columns());
            modules.add(new Any4Config.Module(module, spec, tensor.rows(), columns));
            output.addAll(Any4Format.specs(module, spec, tensor.rows(), columns));
            return;
        }
        copies.add(name);
        output.add(TensorSpec.of(name, tensor));
        if (role != ModelTensors.Role.OTHER
                || name.endsWith(ModelTensors.WEIGHT) && tensor.shape().rank() == 2) {
            notConverted.add(module);
        }
    }

    /// A pattern without effect is a typing error that would cost a long run.
    private void checkPatterns() {
        for (ModulePattern pattern : settings.skip()) {
            if (candidates.stream().noneMatch(pattern::matches)) {
                throw unmatched("--skip " + pattern.text());
            }
        }
        for (SpecOverride override : settings.overrides()) {
            if (modules.stream().noneMatch(module -> override.pattern().matches(module.name()))) {
                throw unmatched("--override " + override.pattern().text());
            }
        }
        if (settings.includeHead() && !checkpoint.contains(ModelTensors.HEAD + ModelTensors.WEIGHT)) {
            throw new InvalidInputException(
                    "the model in %s has no lm_head.weight, as it ties the head to its embeddings: include those instead"
                            .formatted(checkpoint.directory()));
        }
        if (modules.isEmpty()) {
            throw new InvalidInputException("the model in %s has nothing to quantize: %s"
                    .formatted(
                            checkpoint.directory(),
                            candidates.isEmpty() ? "no linear layer was recognized" : "all of it is to be skipped"));
        }
    }

    private InvalidInputException unmatched(String option) {
        String example = candidates.isEmpty() ? "none" : candidates.getFirst();
        return new InvalidInputException(
                "%s matches no module that would be quantized; their names are like %s, and * stands for any part"
                        .formatted(option, example));
    }

    /// With tied embeddings there is no tensor by which a loader could see that the head is not quantized.
    private void listHead() {
        boolean quantized = modules.stream().anyMatch(module -> module.name().equals(ModelTensors.HEAD));
        if (!quantized && !notConverted.contains(ModelTensors.HEAD)) {
            notConverted.add(ModelTensors.HEAD);
        }
    }

    private Map<String, String> metadata() {
        Map<String, String> metadata = new TreeMap<>(checkpoint.metadata());
        metadata.putIfAbsent("format", "pt"); // older Python loaders insist on it
        return metadata;
    }
}
