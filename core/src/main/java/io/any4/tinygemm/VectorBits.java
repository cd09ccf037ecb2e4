package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import java.util.OptionalInt;

/// Whether this Java process can use the Vector API, and with which width.
///
/// Kept apart from [Simd], which cannot even be loaded where the Vector API is missing.
final class VectorBits {
    static final String PROPERTY = "any4.vector.bits";

    private VectorBits() {}

    /// The width asked for by the system property: 128, 256, 512, or 0 for the scalar provider; empty if none is.
    static OptionalInt requested() {
        String value = System.getProperty(PROPERTY);
        if (value == null) {
            return OptionalInt.empty();
        }
        return switch (value) {
            case "0", "scalar" -> OptionalInt.of(0);
            case "128", "256", "512" -> OptionalInt.of(Integer.parseInt(value));
            default ->
                throw new InvalidInputException(
                        "system property %s is '%s': use 128, 256, 512 or scalar".formatted(PROPERTY, value));
        };
    }

    /// Whether the module of the Vector API is there.
    static boolean available() {
        return ModuleLayer.boot().findModule("jdk.incubator.vector").isPresent();
    }
}
