package io.any4.cli;

import io.any4.calibrate.BitAllocation;
import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.QuantizationSettings;
import io.any4.calibrate.Sensitivities;
import io.any4.calibrate.StatisticsSource;
import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.DurableFiles;
import io.any4.model.Decoder;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// The options that let every layer have its own width.
final class BitOptions {
    @Option(
            names = "--bits",
            paramLabel = "AVERAGE",
            description =
                    "Choose 2, 3, 4 or 8 bits and groups of 32, 64 or 128 for each matrix of the blocks, so that this many bits per "
                            + "weight are kept on average, side data included, such as 3.5. How sensitive the model is to each "
                            + "matrix is measured by running it twice per matrix on 512 tokens of the calibration data.")
    @Nullable
    Double bits;

    @Option(
            names = "--save-bits",
            paramLabel = "FILE",
            description = "Write what --bits has chosen and measured to this JSON file.")
    @Nullable
    Path file;

    private @Nullable BitAllocation allocation;

    /// The settings with an override for every layer, or as they were without `--bits`.
    QuantizationSettings apply(QuantizeCommand command, Checkpoint checkpoint, QuantizationSettings settings) {
        Double average = bits;
        if (average == null) {
            return settings;
        }
        if (!settings.overrides().isEmpty() || command.format.groupSize != null) {
            throw new ParameterException(
                    command.spec.commandLine(),
                    "--bits chooses group sizes and overrides itself: leave out --group-size and --override");
        }
        QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
        try (Device device = command.root.openDevice();
                Team team = new Team(command.root.threads())) {
            BitAllocation chosen =
                    BitAllocation.choose(plan, sensitivities(command, checkpoint, device, team), average, team);
            allocation = chosen;
            if (file != null) {
                byte[] json = Json.line(facts()).getBytes(StandardCharsets.UTF_8);
                DurableFiles.replace(file.toAbsolutePath(), temporary -> Files.write(temporary, json));
            }
            return settings.withOverrides(
                    chosen.layers().stream().map(BitAllocation.Layer::override).toList());
        }
    }

    private static SequencedMap<String, Double> sensitivities(
            QuantizeCommand command, Checkpoint checkpoint, Device device, Team team) {
        Decoder decoder = Decoder.load(checkpoint, device);
        CalibrationData data =
                command.calibration.data(command, decoder.config().contextLength());
        int blocks = decoder.config().layers();
        try (Progress progress = Terminal.of(command.root).progress("measuring", blocks, Progress.Unit.of("blocks"))) {
            return Sensitivities.measure(decoder, data, command.seed, team, (done, total) -> progress.to(done));
        }
    }

    /// What was chosen, for JSON; empty without `--bits`.
    List<Map<String, Object>> facts() {
        BitAllocation chosen = allocation;
        return chosen == null
                ? List.of()
                : chosen.layers().stream().map(BitOptions::facts).toList();
    }

    private static Map<String, Object> facts(BitAllocation.Layer layer) {
        return Map.of(
                "module", layer.module(),
                "settings", layer.override().substring(layer.module().length() + 1),
                "sensitivity", layer.sensitivity(),
                "relativeError", layer.relativeError());
    }

    /// Prints what was chosen, one layer per line; nothing without `--bits`.
    void print(PrintWriter out) {
        BitAllocation chosen = allocation;
        if (chosen == null) {
            return;
        }
        TextTable table = new TextTable("matrix", "format", "group", "sensitivity", "error");
        for (BitAllocation.Layer layer : chosen.layers()) {
            table.add(
                    layer.module(),
                    layer.spec().method().id(),
                    String.valueOf(layer.spec().groupSize()),
                    "%.4f".formatted(layer.sensitivity()),
                    "%.2f %%".formatted(100 * layer.relativeError()));
        }
        table.print(out);
        out.printf(
                "%.3f bits per weight on average, KL divergence %.4f predicted%n",
                chosen.bitsPerWeight(), chosen.predictedLoss());
    }
}
