package io.any4.checkpoint;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;

/// Something the user supplied cannot be used: a file, a text, a model, a setting.
///
/// The message is one sentence a user can act on: what is wrong, where, and what to do about it. The command line
/// prints it alone and exits with code 3.
public final class InvalidInputException extends RuntimeException {
    public InvalidInputException(String message) {
        super(message);
    }

    public InvalidInputException(String message, Throwable cause) {
        super(message, cause);
    }

    /// What to tell the user when `path` could not be read.
    public static InvalidInputException reading(Path path, IOException cause) {
        String reason = switch (cause) {
            case NoSuchFileException _ -> "it does not exist: check the path";
            case AccessDeniedException _ -> "permission is denied: check its access rights";
            default -> reasonOf(cause);
        };
        return new InvalidInputException("%s cannot be read: %s".formatted(path, reason), cause);
    }

    /// What to tell the user when `path` could not be written.
    public static InvalidInputException writing(Path path, IOException cause) {
        String reason = switch (cause) {
            case NoSuchFileException _ -> "its directory does not exist: create it first";
            case AccessDeniedException _ -> "permission is denied: choose another output";
            default ->
                isDiskFull(cause)
                        ? "no space is left on the disk: free some or choose another output"
                        : reasonOf(cause);
        };
        return new InvalidInputException("%s cannot be written: %s".formatted(path, reason), cause);
    }

    private static String reasonOf(IOException cause) {
        return cause.getMessage() == null ? cause.getClass().getSimpleName() : cause.getMessage();
    }

    /// Java has no exception type for a full disk; these are the texts of Linux, macOS and Windows.
    private static boolean isDiskFull(IOException cause) {
        String message = reasonOf(cause).toLowerCase(Locale.ROOT);
        return message.contains("no space left")
                || message.contains("not enough space")
                || message.contains("disk quota exceeded");
    }
}
