package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.ModelConfig;
import io.any4.model.WeightNames;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Rotation;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// Which rotation meets which tensor of a model, after QuaRot (arXiv 2404.00456, section 4): the residual stream lives
/// in one rotated space and every value head in another, both of which cost nothing at run time; the inputs of the
/// output projection of attention, across its heads, and of the down projection are rotated while the model runs.
final class RotationMap {
    private static final String ATTENTION_OUTPUT = "self_attn.o_proj";
    private static final String ATTENTION_NORM = "input_layernorm";
    private static final String FEED_FORWARD_NORM = "post_attention_layernorm";

    private final Checkpoint checkpoint;
    private final WeightNames names;
    private final Rotation residual;
    private final Rotation heads;
    private final Rotation acrossHeads;
    private final Rotation inner;

    RotationMap(Checkpoint checkpoint, ModelConfig config, long seed) {
        this.checkpoint = checkpoint;
        names = config.names();
        residual = new Rotation(config.hiddenSize(), seed);
        heads = new Rotation(config.headDim(), seed + 1);
        inner = new Rotation(config.intermediateSize(), seed + 2);
        acrossHeads = new Rotation(config.heads() * config.headDim(), seed + 3);
    }

    /// The rotations that are left for run time, by the pattern of the modules whose inputs they are for.
    SequencedMap<String, Rotation> online() {
        SequencedMap<String, Rotation> online = new LinkedHashMap<>();
        online.put("*." + ATTENTION_OUTPUT, acrossHeads);
        online.put("*." + names.down(), inner);
        return online;
    }

    /// Whether a tensor is the gain of a norm of the residual stream: folded into the weights after it, it becomes 1.
    boolean folded(String name) {
        String module = ModelTensors.module(name);
        return module.equals(WeightNames.FINAL_NORM)
                || isPart(module, ATTENTION_NORM)
                || isPart(module, FEED_FORWARD_NORM);
    }

    /// What happens to any other tensor.
    ///
    /// @throws InvalidInputException if it is a matrix whose part in the model is not known
    TensorRotation of(String name, Tensor tensor) {
        String module = ModelTensors.module(name);
        return name.endsWith(ModelTensors.WEIGHT) && tensor.shape().rank() == 2
                ? weight(name, module)
                : new TensorRotation(null, List.of(), name.endsWith(".bias") ? outputs(module) : null);
    }

    private TensorRotation weight(String name, String module) {
        if (module.equals(WeightNames.EMBEDDING)) {
            return new TensorRotation(null, List.of(residual), null);
        }
        if (isPart(module, ATTENTION_OUTPUT)) {
            return new TensorRotation(null, List.of(heads, acrossHeads), residual);
        }
        if (isPart(module, names.down())) {
            return new TensorRotation(null, List.of(inner), residual);
        }
        return new TensorRotation(gain(norm(name, module)), List.of(residual), outputs(module));
    }

    /// The norm whose output a module reads.
    private String norm(String name, String module) {
        if (module.equals(WeightNames.HEAD)) {
            return WeightNames.FINAL_NORM;
        }
        int block = ModelTensors.block(name).orElse(-1);
        String prefix = "model.layers.%d.".formatted(block);
        if (isPart(module, "self_attn.q_proj")
                || isPart(module, "self_attn.k_proj")
                || isPart(module, "self_attn.v_proj")) {
            return prefix + ATTENTION_NORM;
        }
        if (isPart(module, names.gate())
                || isPart(module, names.up())
                || !names.router().isEmpty() && isPart(module, names.router())) {
            return prefix + FEED_FORWARD_NORM;
        }
        throw new InvalidInputException(
                "the model in %s cannot be rotated, as it has the unknown matrix %s: leave out --rotate"
                        .formatted(checkpoint.directory(), name));
    }

    /// The rotated space a module writes to.
    private @Nullable Rotation outputs(String module) {
        if (isPart(module, "self_attn.v_proj")) {
            return heads;
        }
        return isPart(module, ATTENTION_OUTPUT) || isPart(module, names.down()) ? residual : null;
    }

    float[] gain(String norm) {
        return checkpoint.tensor(norm + ModelTensors.WEIGHT).toFloats();
    }

    private static boolean isPart(String module, String part) {
        return ModelTensors.block(module + ".").isPresent() && module.endsWith("." + part);
    }
}
