package io.any4.cuda;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;

/// The kernels of one PTX text, compiled by the driver for its chip, and their launch.
final class KernelModule implements AutoCloseable {
    private static final int ERROR_LOG_BUFFER = 5;
    private static final int ERROR_LOG_SIZE = 6;
    private static final int LOG_BYTES = 8192;
    // Entries of the array that hands a kernel its packed parameters: see cuLaunchKernel.
    private static final long PARAMETER_BUFFER = 1;
    private static final long PARAMETER_SIZE = 2;
    // CUlaunchConfig and CUlaunchAttribute of cuda.h.
    private static final int CONFIG_BYTES = 56;
    private static final int CONFIG_STREAM = 32;
    private static final int CONFIG_ATTRIBUTES = 40;
    private static final int CONFIG_ATTRIBUTE_COUNT = 48;
    private static final int ATTRIBUTE_BYTES = 72;
    private static final int PROGRAMMATIC_SERIALIZATION = 6;
    private static final int MOST_SHARED_BYTES = 8; // of CUfunction_attribute
    private static final int SHARED_PERCENT = 9; // of what shared memory and first-level cache have together

    private final Arena arena = Arena.ofShared();
    private final Map<String, Long> functions = new HashMap<>();
    private final Map<String, Integer> sharedBytes = new HashMap<>();
    private final long module;
    private final MemorySegment config = arena.allocate(CONFIG_BYTES, 8);
    private final MemorySegment parameters = arena.allocate(512, 8);
    private final MemorySegment parameterSize = arena.allocate(JAVA_LONG);
    private final MemorySegment extra = arena.allocate(JAVA_LONG, 5);
    private final MemorySegment out = arena.allocate(JAVA_LONG);

    /// @param dependent whether kernels may start before their predecessor has ended; they wait by
    ///     themselves
    KernelModule(String ptx, long stream, boolean dependent) {
        module = load(ptx);
        extra.setAtIndex(JAVA_LONG, 0, PARAMETER_BUFFER);
        extra.setAtIndex(JAVA_LONG, 1, parameters.address());
        extra.setAtIndex(JAVA_LONG, 2, PARAMETER_SIZE);
        extra.setAtIndex(JAVA_LONG, 3, parameterSize.address());
        config.set(JAVA_LONG, CONFIG_STREAM, stream);
        if (dependent) {
            MemorySegment attribute = arena.allocate(ATTRIBUTE_BYTES, 8);
            attribute.set(JAVA_INT, 0, PROGRAMMATIC_SERIALIZATION);
            attribute.set(JAVA_INT, 8, 1);
            config.set(ADDRESS, CONFIG_ATTRIBUTES, attribute);
            config.set(JAVA_INT, CONFIG_ATTRIBUTE_COUNT, 1);
        }
    }

    private long load(String ptx) {
        try (Arena scratch = Arena.ofConfined()) {
            MemorySegment log = scratch.allocate(LOG_BYTES);
            MemorySegment options = scratch.allocateFrom(JAVA_INT, ERROR_LOG_BUFFER, ERROR_LOG_SIZE);
            MemorySegment values = scratch.allocateFrom(JAVA_LONG, log.address(), LOG_BYTES);
            MemorySegment image = scratch.allocateFrom(ptx);
            int status = (int) Libcuda.MODULE_LOAD.invokeExact(out, image, 2, options, values);
            if (status != Status.SUCCESS) {
                throw new IllegalStateException("the NVIDIA driver does not compile the kernels: %s; its log: %s"
                        .formatted(Status.describe(status), log.getString(0).strip()));
            }
            return out.get(JAVA_LONG, 0);
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    private long function(String name) {
        Long known = functions.get(name);
        if (known != null) {
            return known;
        }
        try (Arena scratch = Arena.ofConfined()) {
            int status = (int) Libcuda.MODULE_FUNCTION.invokeExact(out, module, scratch.allocateFrom(name));
            Status.check("looking up the kernel " + name, status);
            long function = out.get(JAVA_LONG, 0);
            functions.put(name, function);
            return function;
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    /// More shared memory than every chip has must be asked for once; with the least cache, two blocks have room.
    private void allow(Launch launch, long function) {
        if (launch.sharedBytes() <= sharedBytes.getOrDefault(launch.kernel(), 0)) {
            return;
        }
        setAttribute(launch, function, MOST_SHARED_BYTES, launch.sharedBytes());
        setAttribute(launch, function, SHARED_PERCENT, 100);
        sharedBytes.put(launch.kernel(), launch.sharedBytes());
    }

    private static void setAttribute(Launch launch, long function, int attribute, int value) {
        try {
            int status = (int) Libcuda.FUNCTION_ATTRIBUTE.invokeExact(function, attribute, value);
            Status.check(
                    "giving %d bytes of shared memory to %s".formatted(launch.sharedBytes(), launch.kernel()), status);
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    void launch(Launch launch) {
        long function = function(launch.kernel());
        allow(launch, function);
        config.setAtIndex(JAVA_INT, 0, launch.gridX());
        config.setAtIndex(JAVA_INT, 1, launch.gridY());
        config.setAtIndex(JAVA_INT, 2, launch.gridZ());
        config.setAtIndex(JAVA_INT, 3, launch.threads());
        config.setAtIndex(JAVA_INT, 4, 1);
        config.setAtIndex(JAVA_INT, 5, 1);
        config.setAtIndex(JAVA_INT, 6, launch.sharedBytes());
        byte[] arguments = launch.arguments();
        MemorySegment.copy(MemorySegment.ofArray(arguments), 0, parameters, 0, arguments.length);
        parameterSize.set(JAVA_LONG, 0, arguments.length);
        try {
            Status.check("launching " + launch.kernel(), (int)
                    Libcuda.LAUNCH.invokeExact(config, function, MemorySegment.NULL, extra));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    @Override
    public void close() {
        try {
            Status.check("cuModuleUnload", (int) Libcuda.MODULE_UNLOAD.invokeExact(module));
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        } finally {
            arena.close();
        }
    }
}
