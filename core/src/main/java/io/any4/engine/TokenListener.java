package io.any4.engine;

/// Receives tokens as they are generated.
@FunctionalInterface
public interface TokenListener {
    /// Listens to nothing.
    TokenListener NONE = id -> true;

    /// Called for every token, except the one that ends the sequence.
    ///
    /// @return whether to go on
    boolean token(int id);
}
