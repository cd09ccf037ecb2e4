package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.CheckpointLayout;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Config;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// What a [QuantizationJob] is going to do and exactly what its output will measure, before any weight is read.
///
/// The checkpoint has to stay open as long as the plan is used.
public final class QuantizationPlan {
    private final Checkpoint checkpoint;
    private final List<Any4Config.Module> modules;
    private final List<String> copies;
    private final CheckpointLayout layout;
    private final byte[] config;
    private final List<Path> sideFiles;
    private final String fingerprint;

    QuantizationPlan(
            Checkpoint checkpoint,
            List<Any4Config.Module> modules,
            List<String> copies,
            CheckpointLayout layout,
            byte[] config,
            List<Path> sideFiles,
            String fingerprint) {
        this.checkpoint = checkpoint;
        this.modules = modules;
        this.copies = copies;
        this.layout = layout;
        this.config = config;
        this.sideFiles = sideFiles;
        this.fingerprint = fingerprint;
    }

    /// Plans the quantization of a checkpoint.
    ///
    /// @param statistics whose provenance goes into the output
    /// @throws InvalidInputException if the model is quantized already, if a pattern matches
    ///     nothing, or if nothing is left to quantize
    public static QuantizationPlan of(
            Checkpoint checkpoint, QuantizationSettings settings, StatisticsSource statistics) {
        return new Planner(checkpoint, settings, statistics.provenance()).plan();
    }

    Checkpoint checkpoint() {
        return checkpoint;
    }

    /// The modules to quantize: block after block, then those outside the blocks.
    public List<Any4Config.Module> modules() {
        return modules;
    }

    /// The tensors to copy as they are, in model order.
    public List<String> copies() {
        return copies;
    }

    /// Blocks of the model, quantized or not.
    int blocks() {
        Stream<String> names = Stream.concat(modules.stream().map(Any4Config.Module::name), copies.stream());
        return names.mapToInt(name -> ModelTensors.block(name).orElse(-1)).max().orElse(-1) + 1;
    }

    CheckpointLayout layout() {
        return layout;
    }

    /// Contents of the output's `config.json`.
    byte[] config() {
        return config;
    }

    /// Files to copy beside the weights.
    List<Path> sideFiles() {
        return sideFiles;
    }

    /// Changes whenever the output's bytes might.
    String fingerprint() {
        return fingerprint;
    }

    /// Size of all files of the output together, [QuantizationTime#FILE] excepted.
    public long outputBytes() {
        long bytes = layout.bytes() + config.length;
        for (Path file : sideFiles) {
            try {
                bytes += Files.size(file);
            } catch (IOException e) {
                throw InvalidInputException.reading(file, e);
            }
        }
        return bytes;
    }

    /// Whether some module's inputs are to be quantized as well, for which [CalibrationMode#SAMPLES] is needed.
    public boolean quantizesInputs() {
        return modules.stream().anyMatch(module -> module.spec().quantizesInputs());
    }

    /// Weights in the modules to quantize.
    public long quantizedWeights() {
        return modules.stream()
                .mapToLong(module -> module.rows() * module.columns())
                .sum();
    }

    /// Weights of the whole model.
    public long weights() {
        return quantizedWeights()
                + copies.stream()
                        .mapToLong(name -> checkpoint.tensor(name).elements())
                        .sum();
    }

    private long quantizedBytes() {
        return modules.stream()
                .mapToLong(module -> module.spec().bytes(module.rows(), module.columns()))
                .sum();
    }

    /// Average storage of a quantized weight, all side data included.
    public double quantizedBitsPerWeight() {
        return 8.0 * quantizedBytes() / quantizedWeights();
    }

    /// Average storage of a weight of the whole model, quantized or not.
    public double bitsPerWeight() {
        long copied = copies.stream()
                .mapToLong(name -> checkpoint.tensor(name).data().byteSize())
                .sum();
        return 8.0 * (quantizedBytes() + copied) / weights();
    }
}
