package io.any4.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;

import io.any4.checkpoint.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// What a driver function returned.
final class Status {
    static final int SUCCESS = 0;
    static final int OUT_OF_MEMORY = 2;
    static final int NO_DEVICE = 100;

    private Status() {}

    /// @throws InvalidInputException if memory ran out
    /// @throws IllegalStateException naming the function and the driver's error, unless the status is
    ///     success
    static void check(String function, int status) {
        if (status == OUT_OF_MEMORY) {
            throw new InvalidInputException(
                    "the NVIDIA driver has too little memory left for %s: close what else uses the GPU, use a smaller model or context, or run with --device cpu"
                            .formatted(function));
        }
        if (status != SUCCESS) {
            throw new IllegalStateException("%s failed: %s".formatted(function, describe(status)));
        }
    }

    /// The driver's name and explanation of a status.
    static String describe(int status) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment name = arena.allocate(ADDRESS);
            MemorySegment text = arena.allocate(ADDRESS);
            if ((int) Libcuda.ERROR_NAME.invokeExact(status, name) != SUCCESS
                    || (int) Libcuda.ERROR_STRING.invokeExact(status, text) != SUCCESS) {
                return "CUDA error " + status;
            }
            return "%s (%s)".formatted(string(name), string(text));
        } catch (Throwable thrown) {
            throw unexpected(thrown);
        }
    }

    /// A method handle declares every throwable; a driver function throws none.
    static RuntimeException unexpected(Throwable thrown) {
        if (thrown instanceof RuntimeException runtime) {
            return runtime;
        }
        if (thrown instanceof Error error) {
            throw error;
        }
        return new IllegalStateException(thrown);
    }

    private static String string(MemorySegment pointer) {
        return pointer.get(ADDRESS, 0).reinterpret(512).getString(0);
    }
}
