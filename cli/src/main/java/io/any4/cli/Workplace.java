package io.any4.cli;

import io.any4.calibrate.QuantizationJob;
import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A directory for checkpoints that are deleted at the end, unless the user wants to keep them.
///
/// @param directory where to write
/// @param temporary whether it goes away
record Workplace(Path directory, boolean temporary) implements AutoCloseable {
    /// A temporary directory, or a new one that stays.
    ///
    /// @throws InvalidInputException if the directory to keep exists already
    static Workplace open(@Nullable Path keep) {
        try {
            if (keep == null) {
                return new Workplace(Files.createTempDirectory("any4j"), true);
            }
            QuantizationJob.requireAbsent(keep);
            return new Workplace(Files.createDirectories(keep), false);
        } catch (IOException e) {
            throw InvalidInputException.writing(keep == null ? Path.of(System.getProperty("java.io.tmpdir")) : keep, e);
        }
    }

    @Override
    public void close() {
        if (!temporary) {
            return;
        }
        try (Stream<Path> files = Files.walk(directory)) {
            List<Path> leavesFirst = files.sorted(Comparator.reverseOrder()).toList();
            for (Path file : leavesFirst) {
                Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
