package io.any4.cli;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/// Turns exceptions into one sentence and an exit code.
final class Failures {
    static final int INTERNAL = 1;
    static final int USAGE = 2;
    static final int INPUT = 3;

    private Failures() {}

    /// A command line that cannot be understood.
    static int usage(ParameterException failure, String[] args) {
        CommandLine command = failure.getCommandLine();
        PrintWriter err = command.getErr();
        err.println("any4j: " + failure.getMessage());
        UnmatchedArgumentException.printSuggestions(failure, err);
        err.println("Try '" + command.getCommandSpec().qualifiedName() + " --help'.");
        return USAGE;
    }

    /// A verb that failed.
    static int execution(Exception failure, CommandLine command, ParseResult parsed) {
        PrintWriter err = command.getErr();
        boolean verbose = command.getCommandSpec().root().userObject() instanceof Any4Command root && root.verbose;
        int code = switch (failure) {
            case InvalidInputException input -> report(err, String.valueOf(input.getMessage()), INPUT);
            case UncheckedIOException io -> report(err, sentence(Objects.requireNonNull(io.getCause())), INPUT);
            case IOException io -> report(err, sentence(io), INPUT);
            default -> report(err, "internal error: " + failure + hint(verbose), INTERNAL);
        };
        if (verbose) {
            failure.printStackTrace(err);
        }
        return code;
    }

    private static int report(PrintWriter err, String message, int code) {
        err.println("any4j: " + message);
        return code;
    }

    private static String hint(boolean verbose) {
        return verbose ? "" : System.lineSeparator() + "Run it again with --verbose for the stack trace.";
    }

    private static String sentence(IOException failure) {
        return switch (failure) {
            case NoSuchFileException e -> "there is no file " + e.getFile();
            case AccessDeniedException e -> "no permission for " + e.getFile();
            case FileAlreadyExistsException e ->
                e.getFile() + " exists already: choose another name, or delete it first";
            case FileSystemException e -> e.getFile() + ": " + e.getReason();
            default -> String.valueOf(failure.getMessage());
        };
    }
}
