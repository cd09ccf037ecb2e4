package io.any4.tinygemm;

import io.any4.checkpoint.InvalidInputException;
import java.lang.foreign.MemorySegment;
import java.util.Optional;
import java.util.OptionalInt;

/// Whether this Java process can use vector kernels, and of which width.
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

    /// What keeps this process from vector kernels, with what would help; empty if nothing does.
    static Optional<String> obstacle() {
        if (ModuleLayer.boot().findModule("jdk.incubator.vector").isEmpty()) {
            return Optional.of(
                    "module jdk.incubator.vector is missing: start java with --add-modules jdk.incubator.vector");
        }
        if (!allowsNativeAccess()) {
            return Optional.of("native access is denied: start java with --enable-native-access=io.any4.core,"
                    + " or ALL-UNNAMED where any4j is on the class path");
        }
        return Optional.empty();
    }

    /// Kernels read memory by address, which Java restricts.
    @SuppressWarnings("restricted")
    private static boolean allowsNativeAccess() {
        try {
            return MemorySegment.NULL.reinterpret(1).byteSize() == 1;
        } catch (IllegalCallerException e) {
            return false;
        }
    }
}
