package io.any4.cuda;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.DeviceProvider;
import java.util.Locale;
import java.util.stream.Collectors;

/// Offers the NVIDIA GPUs of this machine. The system property [#ACTIVATIONS] chooses the type
/// activations are rounded to.
public final class CudaProvider implements DeviceProvider {
    /// `bf16` (unless set) or `f16`.
    public static final String ACTIVATIONS = "any4.cuda.activations";

    /// For the service loader.
    public CudaProvider() {}

    @Override
    public String name() {
        return "cuda";
    }

    @Override
    public String probe() {
        try {
            return GpuInfo.list().stream()
                    .map(gpu -> "cuda:%d %s%s"
                            .formatted(gpu.index(), gpu.describe(), gpu.supported() ? "" : " (too old: 8.0 is needed)"))
                    .collect(Collectors.joining("; "));
        } catch (InvalidInputException e) {
            return "none: " + e.getMessage();
        }
    }

    @Override
    public Device open(int index) {
        return CudaDevice.open(index, activation());
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
