package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.CheckpointWriter;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.TensorSpec;
import io.any4.model.Decoder;
import io.any4.model.ModelConfig;
import io.any4.model.WeightNames;
import io.any4.quant.Awq;
import io.any4.quant.ChannelStatistics;
import io.any4.quant.ClipSearch;
import io.any4.quant.Hessian;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.Floats;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// AWQ on a whole model (arXiv 2306.00978): input channels with large activations are scaled up in the weights and down
/// in what produces them, which leaves the function as it is and the weights easier to quantize.
///
/// Producers are the norms before query, key and value and before gate and up (with the router, if there are experts),
/// the value projection before the output projection, unless several query heads share its heads, and the up projection
/// before the down projection. Every block is judged on its unquantized inputs, by the Hessian of each. Where groups of
/// weights do not depend on each other their bounds are searched as well, except for queries and keys.
final class ChannelScaling {
    private final Checkpoint source;
    private final ModelConfig config;
    private final QuantizationSettings settings;
    private final StatisticsSource statistics;
    private final Team team;
    private final CheckpointWriter writer;
    private final Set<String> written = new HashSet<>();

    private ChannelScaling(
            Checkpoint source,
            QuantizationSettings settings,
            Decoder decoder,
            StatisticsSource statistics,
            Team team,
            CheckpointWriter writer) {
        this.source = source;
        this.config = decoder.config();
        this.settings = settings;
        this.statistics = statistics;
        this.team = team;
        this.writer = writer;
    }

    /// Writes the scaled form of a model; tensors keep their types.
    ///
    /// @param output a directory that does not exist yet; it appears complete
    /// @param settings of the quantization that is to follow
    /// @throws InvalidInputException if the model is quantized or rotated, or cannot be written
    static void write(
            Checkpoint source,
            Path output,
            QuantizationSettings settings,
            Decoder decoder,
            CalibrationData data,
            Team team,
            CalibrationListener listener) {
        if (source.config().hasNonNull("quantization_config")) {
            throw new InvalidInputException("the model in %s is quantized or rotated already: start from the original"
                    .formatted(source.directory()));
        }
        List<TensorSpec> specs = new ArrayList<>();
        for (String name : ModelTensors.ordered(source.names())) {
            specs.add(TensorSpec.of(name, source.tensor(name)));
        }
        ObjectNode config = JsonFiles.read(source.directory().resolve("config.json"));
        CopyWriter.write(source, output, specs, config, writer -> {
            StatisticsSource statistics = Calibration.gptq(decoder, data, listener);
            new ChannelScaling(source, settings, decoder, statistics, team, writer).run();
        });
    }

    private void run() {
        for (int block = 0; block < config.layers(); block++) {
            String prefix = "model.layers.%d.".formatted(block);
            feedForward(prefix);
            attention(prefix + "self_attn.", prefix + "input_layernorm.weight");
            statistics.quantized(block, Map.of());
        }
        for (String name : source.names()) {
            if (!written.contains(name)) {
                writer.write(name, source.tensor(name));
            }
        }
    }

    /// Consumers come before producers, so that a producer is written once, with all that happens to it.
    private void feedForward(String prefix) {
        WeightNames names = config.names();
        List<String> consumers = new ArrayList<>();
        List<Scales> ofDown = new ArrayList<>();
        ModelConfig.Experts experts = config.experts();
        int count = experts == null ? 1 : experts.count();
        for (int e = 0; e < count; e++) {
            String mlp = experts == null ? prefix : prefix + names.expert().formatted(e) + ".";
            String down = mlp + names.down();
            Scales scales = search(down, List.of(down));
            writeConsumer(down, scales, null, true);
            consumers.add(mlp + names.gate());
            consumers.add(mlp + names.up());
            ofDown.add(scales);
        }
        String router = prefix + names.router();
        Scales scales = search(experts == null ? consumers.getFirst() : router, consumers);
        Scales folded = writeNorm(prefix + "post_attention_layernorm.weight", scales);
        for (int i = 0; i < consumers.size(); i++) {
            writeConsumer(consumers.get(i), folded, i % 2 == 1 ? ofDown.get(i / 2) : null, true);
        }
        if (experts != null) {
            writeConsumer(router, folded, null, false);
        }
    }

    private void attention(String prefix, String norm) {
        String output = prefix + "o_proj";
        Scales ofOutput = Scales.NONE;
        if (config.heads() == config.kvHeads()) {
            ofOutput = search(output, List.of(output));
        }
        writeConsumer(output, ofOutput.orWith(hessian(output)), null, true);
        List<String> consumers = List.of(prefix + "q_proj", prefix + "k_proj", prefix + "v_proj");
        Scales folded = writeNorm(norm, search(consumers.getFirst(), consumers));
        writeConsumer(consumers.get(0), folded, null, false);
        writeConsumer(consumers.get(1), folded, null, false);
        writeConsumer(consumers.get(2), folded, ofOutput, true);
    }

    private @Nullable Hessian hessian(String module) {
        return statistics.hessian(module);
    }

    /// What to do to an input of which `leader` is the first reader; nothing if no consumer will be quantized.
    private Scales search(String leader, List<String> consumers) {
        List<String> quantized = consumers.stream().filter(this::isQuantized).toList();
        ChannelStatistics channels = statistics.statistics(leader);
        Hessian hessian = hessian(leader);
        if (quantized.isEmpty() || channels == null || hessian == null) {
            return Scales.NONE;
        }
        QuantizationSpec spec = settings.specOf(quantized.getFirst());
        List<Tensor> weights = quantized.stream().map(this::weight).toList();
        float[] found = new Awq(spec, channels, hessian, Awq.Settings.USUAL, team)
                .search(weights)
                .scales();
        return new Scales(found, hessian);
    }

    private boolean isQuantized(String module) {
        return !settings.skips(module);
    }

    private Tensor weight(String module) {
        return source.tensor(module + ModelTensors.WEIGHT);
    }

    /// Divides the gain of a norm. The scales are adjusted to what is left of them once the gain is rounded to its
    /// type, so that nothing is lost.
    private Scales writeNorm(String name, Scales scales) {
        float[] factors = scales.factors();
        if (factors == null) {
            return scales;
        }
        Tensor gain = source.tensor(name);
        float[] divided = gain.toFloats();
        float[] exact = new float[divided.length];
        for (int j = 0; j < divided.length; j++) {
            float rounded = Floats.round(divided[j] / factors[j], gain.dtype());
            exact[j] = rounded == 0 ? 1 : divided[j] / rounded;
            divided[j] = rounded == 0 ? divided[j] : rounded;
        }
        write(name, Tensor.ofFloats(gain.dtype(), divided, divided.length));
        return new Scales(exact, scales.hessian());
    }

    /// @param inputs of the module's input
    /// @param outputs of its output, as its consumer wants them
    private void writeConsumer(String module, Scales inputs, @Nullable Scales outputs, boolean clip) {
        Tensor original = weight(module);
        float[] rows = outputs == null ? null : outputs.factors();
        try (Arena arena = Arena.ofShared()) {
            Tensor scaled = inputs.columns(original, arena);
            Hessian hessian = inputs.hessian();
            if (clip && hessian != null && isQuantized(module) && hasIndependentGroups(settings.specOf(module))) {
                scaled = ClipSearch.clip(
                        scaled, inputs.scaledHessian(hessian, arena), settings.specOf(module), team, arena);
            }
            write(module + ModelTensors.WEIGHT, Scales.dividedRows(scaled, rows, original.dtype(), arena));
        }
        Tensor bias = source.find(module + ".bias");
        if (bias != null && rows != null) {
            Tensor matrix = new Tensor(bias.dtype(), Shape.of(rows.length, 1), bias.data());
            Tensor divided = Scales.dividedRows(matrix, rows, bias.dtype(), Arena.ofAuto());
            write(module + ".bias", new Tensor(bias.dtype(), bias.shape(), divided.data()));
        }
    }

    private static boolean hasIndependentGroups(QuantizationSpec spec) {
        return spec.method().family() == Method.Family.INTEGER || spec.method().family() == Method.Family.FIXED_TABLE;
    }

    private void write(String name, Tensor tensor) {
        writer.write(name, tensor);
        written.add(name);
    }
}
