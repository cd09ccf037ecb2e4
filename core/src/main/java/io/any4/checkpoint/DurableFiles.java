package io.any4.checkpoint;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.concurrent.ThreadLocalRandom;

/// Files and directories that are on the disk when a call returns, and appear complete or not at all.
public final class DurableFiles {
    private DurableFiles() {}

    /// Fills a file that does not have its final name yet.
    @FunctionalInterface
    public interface Content {
        void writeTo(Path temporary) throws IOException;
    }

    /// Writes a small file in place; for directories that nobody looks into yet.
    ///
    /// @throws InvalidInputException if that fails
    public static void write(Path target, byte[] bytes) {
        try {
            Files.write(target, bytes);
            force(target);
        } catch (IOException e) {
            throw InvalidInputException.writing(target, e);
        }
    }

    /// Lets `content` fill a temporary sibling of `target`, flushes it to the disk and renames it; an existing file is
    /// replaced.
    ///
    /// @throws InvalidInputException if that fails; the temporary file is deleted then and `target` is as it was
    public static void replace(Path target, Content content) {
        Path temporary = target.resolveSibling(".%s.%016x.tmp"
                .formatted(target.getFileName(), ThreadLocalRandom.current().nextLong()));
        try {
            try {
                content.writeTo(temporary);
                force(temporary);
                move(temporary, target);
            } finally {
                Files.deleteIfExists(temporary);
            }
        } catch (IOException e) {
            throw InvalidInputException.writing(target, e);
        }
    }

    /// Renames a file or directory within one file system, so that it is seen under one name or the other.
    public static void move(Path source, Path target) throws IOException {
        if (Files.isDirectory(source)) {
            forceDirectory(source);
        }
        Files.move(source, target, StandardCopyOption.ATOMIC_MOVE);
        forceDirectory(target.toAbsolutePath().resolveSibling(""));
    }

    private static void force(Path file) throws IOException {
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
            channel.force(true);
        }
    }

    /// Makes a rename survive a power failure, where the operating system lets directories be opened.
    private static void forceDirectory(Path directory) {
        try (FileChannel channel = FileChannel.open(directory, StandardOpenOption.READ)) {
            channel.force(true);
        } catch (IOException e) {
            System.getLogger(DurableFiles.class.getName())
                    .log(System.Logger.Level.DEBUG, "cannot flush directory " + directory, e);
        }
    }
}
