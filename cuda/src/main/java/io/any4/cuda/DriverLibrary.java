package io.any4.cuda;

import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.List;
import java.util.Optional;

/// Finds the library that every NVIDIA driver installs.
final class DriverLibrary {
    /// Names another library file to load instead, for drivers in unusual places.
    static final String PROPERTY = "any4.cuda.library";

    private static final List<String> PLACES = List.of(
            "libcuda.so.1",
            "/usr/lib/x86_64-linux-gnu/libcuda.so.1",
            "/usr/lib64/libcuda.so.1",
            "/usr/local/nvidia/lib64/libcuda.so.1",
            "/usr/lib/wsl/lib/libcuda.so.1");

    private static final Optional<SymbolLookup> LIBRARY = find();

    private DriverLibrary() {}

    static boolean present() {
        return LIBRARY.isPresent();
    }

    /// The library, which [#present] has said is there.
    static SymbolLookup required() {
        return LIBRARY.orElseThrow(() -> new IllegalStateException("the NVIDIA driver library is absent"));
    }

    private static Optional<SymbolLookup> find() {
        String chosen = System.getProperty(PROPERTY);
        List<String> places = chosen == null ? PLACES : List.of(chosen);
        for (String place : places) {
            try {
                return Optional.of(SymbolLookup.libraryLookup(place, Arena.global()));
            } catch (IllegalArgumentException absent) {
                continue; // the next place
            }
        }
        return Optional.empty();
    }
}
