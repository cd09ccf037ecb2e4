package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.CheckpointWriter;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.TensorSpec;
import io.any4.model.ModelConfig;
import io.any4.model.WeightNames;
import io.any4.quant.InputTransforms;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.node.ObjectNode;

/// Writes a model that computes the same function in rotated coordinates (QuaRot, arXiv 2404.00456): no weight or
/// activation stands out there, so that both quantize better.
///
/// The gains of the norms move into the weights after them, for only a norm without gains commutes with a rotation.
/// The residual stream and the value heads are rotated by changing weights alone; the inputs of attention's output
/// projections and of the down projections are rotated while the model runs, which `config.json` records. Weights
/// keep their types and are rounded once; one tensor is in memory at a time.
public final class Rotations {
    private static final String EMBEDDING = WeightNames.EMBEDDING + ModelTensors.WEIGHT;
    private static final String HEAD = WeightNames.HEAD + ModelTensors.WEIGHT;

    private final Checkpoint source;
    private final ModelConfig config;
    private final RotationMap map;
    private final Team team;

    private Rotations(Checkpoint source, long seed, Team team) {
        this.source = source;
        this.config = ModelConfig.parse(source.config());
        this.map = new RotationMap(source, config, seed);
        this.team = team;
    }

    /// Writes the rotated form of a model.
    ///
    /// @param source unquantized
    /// @param output a directory that does not exist yet; it appears complete
    /// @param seed of the random signs
    /// @throws InvalidInputException if the model is quantized or rotated already, or cannot be written
    public static void write(Checkpoint source, Path output, long seed, Team team, CalibrationListener listener) {
        if (source.config().hasNonNull("quantization_config")) {
            throw new InvalidInputException("the model in %s is quantized or rotated already: start from the original"
                    .formatted(source.directory()));
        }
        new Rotations(source, seed, team).write(output, listener);
    }

    private void write(Path output, CalibrationListener listener) {
        List<String> names = names();
        List<TensorSpec> specs = new ArrayList<>();
        for (String name : names) {
            Tensor tensor = source.tensor(origin(name));
            specs.add(new TensorSpec(name, tensor.dtype(), tensor.shape()));
        }
        CopyWriter.write(source, output, specs, config(), writer -> {
            int done = 0;
            for (String name : names) {
                write(name, writer);
                listener.progress(++done, names.size());
            }
        });
    }

    /// All tensors, in model order, with a head of its own if the final norm's gain makes it differ from the embedding.
    private List<String> names() {
        List<String> names = new ArrayList<>(ModelTensors.ordered(source.names()));
        if (config.tiedEmbeddings()) {
            names.remove(HEAD); // some checkpoints have it although nobody reads it
            if (unties()) {
                names.add(HEAD);
            }
        }
        return names;
    }

    private boolean unties() {
        for (float gain : map.gain(WeightNames.FINAL_NORM)) {
            if (gain != 1) {
                return true;
            }
        }
        return false;
    }

    /// The tensor of the source that one of the output is made from.
    private String origin(String name) {
        return config.tiedEmbeddings() && name.equals(HEAD) ? EMBEDDING : name;
    }

    private void write(String name, CheckpointWriter writer) {
        Tensor tensor = source.tensor(origin(name));
        FiniteCheck.require(name, tensor, team, source.directory());
        try (Arena arena = Arena.ofShared()) {
            if (map.folded(name)) {
                Tensor ones = Tensor.allocate(arena, tensor.dtype(), tensor.elements());
                for (long i = 0; i < ones.elements(); i++) {
                    ones.setFloat(i, 1);
                }
                writer.write(name, ones);
                return;
            }
            TensorRotation rotation = map.of(name, tensor);
            writer.write(name, rotation.equals(TensorRotation.NONE) ? tensor : rotation.apply(tensor, team, arena));
        }
    }

    private ObjectNode config() {
        ObjectNode json = JsonFiles.read(source.directory().resolve("config.json"));
        if (config.tiedEmbeddings() && unties()) {
            json.put("tie_word_embeddings", false);
        }
        map.online().forEach((modules, rotation) -> InputTransforms.add(json, modules, rotation));
        return json;
    }
}
