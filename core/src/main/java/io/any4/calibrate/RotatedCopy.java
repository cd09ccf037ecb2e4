package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.DurableFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/// The rotated form of a model, on disk as long as a [QuantizationJob] reads it: `.OUT.rotated` beside the output.
///
/// A job that is interrupted leaves it, and the next one with the same source and seed finds it again.
public final class RotatedCopy implements AutoCloseable {
    private static final String ORIGIN = "origin";

    private final Path directory;
    private final Path output;
    private final Checkpoint checkpoint;

    private RotatedCopy(Path directory, Path output) {
        this.directory = directory;
        this.output = output;
        this.checkpoint = Checkpoint.open(directory);
    }

    /// Rotates a model, unless an interrupted run has done that.
    ///
    /// @param output of the job that is going to read the copy
    /// @param seed of [Rotations#write]
    public static RotatedCopy of(Checkpoint source, Path output, long seed, Team team, CalibrationListener listener) {
        Path absolute = output.toAbsolutePath().normalize();
        Path directory = absolute.resolveSibling(".%s.rotated".formatted(absolute.getFileName()));
        String origin = Fingerprint.of(source, seed);
        try {
            if (!origin.equals(originOf(directory))) {
                DirectoryTrees.delete(directory);
                Rotations.write(source, directory, seed, team, listener);
                DurableFiles.write(directory.resolve(ORIGIN), origin.getBytes(StandardCharsets.UTF_8));
            }
        } catch (IOException e) {
            throw InvalidInputException.writing(directory, e);
        }
        return new RotatedCopy(directory, output);
    }

    private static String originOf(Path directory) throws IOException {
        Path file = directory.resolve(ORIGIN);
        return Files.exists(file) ? Files.readString(file) : "";
    }

    /// The rotated model.
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
