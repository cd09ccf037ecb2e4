package io.any4.cuda;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.DeviceProvider;
import java.util.Locale;
import java.util.stream.Collectors;

/// Offers the NVIDIA GPUs of this machine. The system property [#ACTIVATIONS] chooses the type
/// activations are rounded to, and [#KERNELS] older kernels than the chip could run.
public final class CudaProvider implements DeviceProvider {
    /// `bf16` (unless set) or `f16`.
    public static final String ACTIVATIONS = "any4.cuda.activations";

    /// `sm80` for the kernels of Ampere on every chip; unless set, the newest that the chip runs.
    public static final String KERNELS = "any4.cuda.kernels";

    /// For the service loader.
    public CudaProvider() {}

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String probe() {
        try {
            return GpuInfo.list().stream().map(CudaProvider::describe).collect(Collectors.joining("; "));
        } catch (InvalidInputException e) {
            return "none: " + e.getMessage();
        } catch (ExceptionInInitializerError e) {
            if (e.getCause() instanceof IllegalCallerException) {
                return "none: native access is denied: start java with --enable-native-access=io.any4.cuda,"
                        + " or ALL-UNNAMED where any4j is on the class path";
            }
            throw e;
        }
    }

    private static String describe(GpuInfo gpu) {
        String kernels = gpu.supported()
                ? KernelSet.of(activation(), Math.min(gpu.capability(), newest()))
                        .describe()
                : "too old: 8.0 is needed";
        return "cuda:%d %s, %s".formatted(gpu.index(), gpu.describe(), kernels);
    }

    @Override
    public Device open(int index) {
        return CudaDevice.open(index, activation(), newest());
    }

    private static int newest() {
        String chosen = System.getProperty(KERNELS, "");
        return switch (chosen.toLowerCase(Locale.ROOT)) {
            case "" -> KernelSet.NEWEST;
            case "sm80" -> 80;
            default -> throw new InvalidInputException("%s is %s but can only be sm80".formatted(KERNELS, chosen));
        };
    }

    private static Activation activation() {
        String chosen = System.getProperty(ACTIVATIONS, "bf16");
        return switch (chosen.toLowerCase(Locale.ROOT)) {
            case "bf16" -> Activation.BF16;
            case "f16" -> Activation.F16;
            default ->
                throw new InvalidInputException("%s is %s but can only be bf16 or f16".formatted(ACTIVATIONS, chosen));
        };
    }
}
