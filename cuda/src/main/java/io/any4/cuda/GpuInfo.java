package io.any4.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import io.any4.checkpoint.InvalidInputException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;

/// A GPU that the driver lists.
///
/// @param capability compute capability times ten: 80 is Ampere, 90 Hopper
/// @param chip what launches are made for
/// @param driver CUDA version of the driver times 1000: 12040 is 12.4
record GpuInfo(int index, int handle, String name, int capability, Chip chip, long memory, int driver) {
    private static final int OLDEST_DRIVER = 12000; // has every function of Libcuda and takes PTX 8.0
    private static final int OLDEST_CHIP = 80; // has bf16 tensor cores
    private static final int ATTRIBUTE_MULTIPROCESSORS = 16;
    private static final int ATTRIBUTE_MAJOR = 75;
    private static final int ATTRIBUTE_MINOR = 76;
    private static final int ATTRIBUTE_SHARED_BYTES = 81; // per multiprocessor

    /// All GPUs, usable or not.
    ///
    /// @throws InvalidInputException if there is no driver, it is too old, or it shows no GPU
    static List<GpuInfo> list() {
        if (!DriverLibrary.present()) {
            throw new InvalidInputException(
                    "no NVIDIA driver (libcuda.so.1) is installed: install one, or run with --device cpu");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment out = arena.allocate(256);
            int driver = version(out);
            int status = (int) Libcuda.INIT.invokeExact(0);
            if (status == Status.NO_DEVICE) {
                throw new InvalidInputException(
                        "the NVIDIA driver finds no GPU in this machine: run with --device cpu");
            }
            if (status != Status.SUCCESS) {
                throw new InvalidInputException(
                        "the NVIDIA driver does not start: %s; reinstall it, or run with --device cpu"
                                .formatted(Status.describe(status)));
            }
            Status.check("cuDeviceGetCount", (int) Libcuda.DEVICE_COUNT.invokeExact(out));
            int count = out.get(JAVA_INT, 0);
            List<GpuInfo> gpus = new ArrayList<>();
            for (int index = 0; index < count; index++) {
                gpus.add(read(index, driver, out));
            }
            return gpus;
        } catch (Throwable thrown) {
            throw Status.unexpected(thrown);
        }
    }

    private static int version(MemorySegment out) throws Throwable {
        Status.check("cuDriverGetVersion", (int) Libcuda.DRIVER_VERSION.invokeExact(out));
        int driver = out.get(JAVA_INT, 0);
        if (driver < OLDEST_DRIVER) {
            throw new InvalidInputException(
                    "the NVIDIA driver supports CUDA %s but %s is needed: update the driver, or run with --device cpu"
                            .formatted(versionText(driver), versionText(OLDEST_DRIVER)));
        }
        return driver;
    }

    private static GpuInfo read(int index, int driver, MemorySegment out) throws Throwable {
        Status.check("cuDeviceGet", (int) Libcuda.DEVICE.invokeExact(out, index));
        int handle = out.get(JAVA_INT, 0);
        Status.check("cuDeviceGetName", (int) Libcuda.DEVICE_NAME.invokeExact(out, 256, handle));
        String name = out.getString(0);
        Status.check("cuDeviceTotalMem", (int) Libcuda.DEVICE_MEMORY.invokeExact(out, handle));
        long memory = out.get(JAVA_LONG, 0);
        int capability = 10 * attribute(ATTRIBUTE_MAJOR, handle, out) + attribute(ATTRIBUTE_MINOR, handle, out);
        Chip chip = new Chip(
                attribute(ATTRIBUTE_MULTIPROCESSORS, handle, out), attribute(ATTRIBUTE_SHARED_BYTES, handle, out));
        return new GpuInfo(index, handle, name, capability, chip, memory, driver);
    }

    private static int attribute(int which, int handle, MemorySegment out) throws Throwable {
        Status.check("cuDeviceGetAttribute", (int) Libcuda.DEVICE_ATTRIBUTE.invokeExact(out, which, handle));
        return out.get(JAVA_INT, 0);
    }

    /// The GPU with an index.
    ///
    /// @throws InvalidInputException if it is absent or too old
    static GpuInfo find(int index) {
        List<GpuInfo> gpus = list();
        if (index < 0 || index >= gpus.size()) {
            throw new InvalidInputException(
                    "there is no GPU cuda:%d: this machine has %d, counted from 0".formatted(index, gpus.size()));
        }
        GpuInfo gpu = gpus.get(index);
        if (!gpu.supported()) {
            throw new InvalidInputException(
                    "%s has compute capability %s but 8.0 (Ampere) or newer is needed: run with --device cpu"
                            .formatted(gpu.name, gpu.capabilityText()));
        }
        return gpu;
    }

    boolean supported() {
        return capability >= OLDEST_CHIP;
    }

    private String capabilityText() {
        return "%d.%d".formatted(capability / 10, capability % 10);
    }

    private static String versionText(int version) {
        return "%d.%d".formatted(version / 1000, version % 1000 / 10);
    }

    /// One line for a person.
    String describe() {
        return "%s, %.0f GiB, %d multiprocessors, compute capability %s, driver for CUDA %s"
                .formatted(
                        name,
                        memory / (double) (1L << 30),
                        chip.multiprocessors(),
                        capabilityText(),
                        versionText(driver));
    }
}
