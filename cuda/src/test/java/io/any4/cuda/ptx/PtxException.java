package io.any4.cuda.ptx;

/// A kernel did what it must not, or uses PTX that the interpreter does not know.
public final class PtxException extends RuntimeException {
    PtxException(String message) {
        super(message);
    }

    PtxException(String message, Throwable cause) {
        super(message, cause);
    }
}
