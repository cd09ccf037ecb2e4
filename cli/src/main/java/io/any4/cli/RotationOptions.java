package io.any4.cli;

import io.any4.calibrate.RotatedCopy;
import io.any4.checkpoint.Checkpoint;
import io.any4.tinygemm.Team;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/// The option that has a model rotated before it is quantized.
final class RotationOptions {
    @Option(
            names = "--rotate",
            description =
                    "Rotate the model by random Hadamard matrices first (QuaRot), which spreads outliers; it pays with methods that feed "
                            + "errors back. Needs room for an unquantized copy while it runs; the output rotates the inputs of its down "
                            + "projections when it runs.")
    boolean rotate;

    /// The checkpoint to quantize.
    ///
    /// @param original the user's
    /// @param copy its rotated form, or null if it shall not be rotated
    record Source(Checkpoint original, @Nullable RotatedCopy copy) implements AutoCloseable {
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
        if (rotate && command.dryRun) {
            throw new ParameterException(
                    command.spec.commandLine(), "--dry-run cannot be combined with --rotate, which needs a copy");
        }
        Checkpoint original = Checkpoint.open(command.model);
        try {
            return new Source(original, rotate ? rotated(original, command) : null);
        } catch (RuntimeException e) {
            original.close();
            throw e;
        }
    }

    private static RotatedCopy rotated(Checkpoint original, QuantizeCommand command) {
        Terminal terminal = Terminal.of(command.root);
        int tensors = original.names().size();
        try (Team team = new Team(command.root.threads());
                Progress progress = terminal.progress("rotating", tensors, Progress.Unit.of("tensors"))) {
            return RotatedCopy.of(original, command.output, command.seed, team, (done, total) -> progress.to(done));
        }
    }
}
