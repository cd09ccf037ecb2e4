package io.any4.cuda;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.zip.GZIPInputStream;

/// The shipped PTX: one text per activation type and oldest chip, made by `tools/ptx.sh`.
enum KernelSet {
    BF16_SM80("any4-bf16-sm80", Activation.BF16, 80),
    BF16_SM90("any4-bf16-sm90", Activation.BF16, 90),
    F16_SM80("any4-f16-sm80", Activation.F16, 80),
    F16_SM90("any4-f16-sm90", Activation.F16, 90);

    /// More than every set's capability.
    static final int NEWEST = Integer.MAX_VALUE;

    /// Chips of 12.x (GeForce) have bulk copies, but less than half of the shared memory that streaming uses.
    private static final int SMALL_SHARED_MEMORY = 120;

    private final String resource;
    private final Activation activation;
    private final int capability;

    KernelSet(String resource, Activation activation, int capability) {
        this.resource = resource;
        this.activation = activation;
        this.capability = capability;
    }

    /// The newest set that suits a chip.
    ///
    /// @param capability of the chip, or less to get older kernels
    static KernelSet of(Activation activation, int capability) {
        KernelSet best = null;
        for (KernelSet set : values()) {
            if (set.activation == activation
                    && set.capability <= capability
                    && (capability < SMALL_SHARED_MEMORY || !set.streams())) {
                best = set;
            }
        }
        if (best == null) {
            throw new IllegalArgumentException("no kernels for compute capability " + capability);
        }
        return best;
    }

    Activation activation() {
        return activation;
    }

    /// Whether its kernels can start before their predecessor has ended.
    boolean dependentLaunch() {
        return capability >= 90;
    }

    /// Whether products bring weights to shared memory by bulk copies, rather than straight to registers.
    boolean streams() {
        return capability >= 90;
    }

    /// What a person should know of the choice.
    String describe() {
        return "kernels for %d.%d (weights %s)"
                .formatted(
                        capability / 10,
                        capability % 10,
                        streams() ? "streamed through shared memory" : "loaded to registers");
    }

    String ptx() {
        try (InputStream in = KernelSet.class.getResourceAsStream(resource + ".ptx.gz")) {
            if (in == null) {
                throw new IllegalStateException(
                        "the jar lacks " + resource + ".ptx.gz: run tools/ptx.sh and build again");
            }
            return new String(new GZIPInputStream(in).readAllBytes(), StandardCharsets.US_ASCII);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
