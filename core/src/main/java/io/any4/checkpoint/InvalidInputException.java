package io.any4.checkpoint;

/// Something the user supplied cannot be used: a file, a text, a model, a setting.
///
/// The message is one sentence a user can act on: what is wrong, where, and what to do about it. The command line
/// prints it
/// alone and exits with code 3.
public final class InvalidInputException extends RuntimeException {
    public InvalidInputException(String message) {
        super(message);
    }

    public InvalidInputException(String message, Throwable cause) {
        super(message, cause);
    }
}
