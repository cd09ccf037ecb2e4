package io.any4.cli;

import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.ModelCopy;
import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// The options that have a model put into another form before it is quantized.
final class PreparationOptions {
    @Option(
            names = "--rotate",
            description =
                    "Rotate the model by random Hadamard matrices first (QuaRot), which spreads outliers; it pays with methods that feed "
                            + "errors back. Needs room for an unquantized copy while it runs; the output rotates the inputs of its "
                            + "attention output and down projections when it runs.")
    boolean rotate;

    @Option(
            names = "--awq",
            description =
                    "Scale channels with large activations up in the weights first, and down in what produces them (AWQ); for "
                            + "int, nf4 and fp4 search clipping bounds as well. Needs room for an unquantized copy while it runs.")
    boolean awq;

    /// The checkpoint to quantize.
    ///
    /// @param original the user's
    /// @param copy another form of it that computes the same, or null if it is quantized as it is
    record Source(Checkpoint original, @Nullable ModelCopy copy) implements AutoCloseable {
        Checkpoint checkpoint() {
            return copy == null ? original : copy.checkpoint();
        }

        @Override
        public void close() {
            if (copy != null) {
                copy.close();
            }
            original.close();
        }
    }

    /// Opens the model of a command, and rotates it if asked for.
    Source open(QuantizeCommand command) {
        if ((rotate || awq) && command.dryRun) {
            throw new ParameterException(
                    command.spec.commandLine(),
                    "--dry-run cannot be combined with --rotate or --awq, which need a copy of the model");
        }
        if (rotate && awq) {
            throw new ParameterException(
                    command.spec.commandLine(), "choose --rotate or --awq: both serve the same purpose");
        }
        Checkpoint original = Checkpoint.open(command.model);
        try {
            return new Source(original, rotate ? rotated(original, command) : awq ? scaled(original, command) : null);
        } catch (RuntimeException e) {
            original.close();
            throw e;
        }
    }

    private static ModelCopy rotated(Checkpoint original, QuantizeCommand command) {
        Terminal terminal = Terminal.of(command.root);
        int tensors = original.names().size();
        try (Team team = new Team(command.root.threads());
                Progress progress = terminal.progress("rotating", tensors, Progress.Unit.of("tensors"))) {
            return ModelCopy.rotated(original, command.output, command.seed, team, (done, total) -> progress.to(done));
        }
    }

    private static ModelCopy scaled(Checkpoint original, QuantizeCommand command) {
        Terminal terminal = Terminal.of(command.root);
        try (Team team = new Team(command.root.threads());
                Device device = command.root.openDevice();
                Progress progress = terminal.progress("scaling", 100, Progress.Unit.of("percent"))) {
            Decoder decoder = Decoder.load(original, device);
            CalibrationData data =
                    command.calibration.data(command, decoder.config().contextLength());
            return ModelCopy.scaled(
                    original,
                    command.output,
                    command.matched(original, command.settings()),
                    decoder,
                    data,
                    team,
                    (done, total) -> progress.to(100L * done / total));
        }
    }
}
