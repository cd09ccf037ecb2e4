package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.DurableFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// Another form of a model, on disk as long as a [QuantizationJob] reads it: a hidden directory beside the output, such
/// as `.OUT.rotated`.
///
/// A job that is interrupted leaves it, and the next one with the same source and settings finds it again.
public final class ModelCopy implements AutoCloseable {
    private static final String ORIGIN = "origin";

    /// Writes the copy to a directory that does not exist yet.
    @FunctionalInterface
    private interface Maker {
        void write(Path directory);
    }

    private final Path directory;
    private final Path output;
    private final Checkpoint checkpoint;

    private ModelCopy(Path directory, Path output) {
        this.directory = directory;
        this.output = output;
        this.checkpoint = Checkpoint.open(directory);
    }

    /// Rotates a model, unless an interrupted run has done that.
    ///
    /// @param output of the job that is going to read the copy
    /// @param seed of [Rotations#write]
    public static ModelCopy rotated(
            Checkpoint source, Path output, long seed, Team team, CalibrationListener listener) {
        String origin = Fingerprint.of(source, Long.toString(seed));
        return of(output, "rotated", origin, directory -> Rotations.write(source, directory, seed, team, listener));
    }

    /// Scales the channels of a model as AWQ does, unless an interrupted run has done that.
    ///
    /// @param output of the job that is going to read the copy
    /// @param settings of that job
    /// @param decoder the source on a device; the search takes it over
    public static ModelCopy scaled(
            Checkpoint source,
            Path output,
            QuantizationSettings settings,
            Decoder decoder,
            CalibrationData data,
            Team team,
            CalibrationListener listener) {
        String origin = Fingerprint.of(source, settings.describe() + data.describe());
        return of(
                output,
                "scaled",
                origin,
                directory -> ChannelScaling.write(source, directory, settings, decoder, data, team, listener));
    }

    private static ModelCopy of(Path output, String kind, String origin, Maker maker) {
        Path absolute = output.toAbsolutePath().normalize();
        Path directory = absolute.resolveSibling(".%s.%s".formatted(absolute.getFileName(), kind));
        try {
            if (!origin.equals(originOf(directory))) {
                DirectoryTrees.delete(directory);
                maker.write(directory);
                DurableFiles.write(directory.resolve(ORIGIN), origin.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw InvalidInputException.writing(directory, e);
        }
        return new ModelCopy(directory, output);
    }

    private static String originOf(Path directory) throws IOException {
        Path file = directory.resolve(ORIGIN);
        return Files.exists(file) ? Files.readString(file) : "";
    }

    /// The copy.
    public Checkpoint checkpoint() {
        return checkpoint;
    }

    /// Deletes the copy, unless a job was interrupted that may want to go on.
    @Override
    public void close() {
        checkpoint.close();
        if (Files.exists(WorkDirectory.root(output))) {
            return;
        }
        try {
            DirectoryTrees.delete(directory);
        } catch (IOException e) {
            throw InvalidInputException.writing(directory, e);
        }
    }
}
