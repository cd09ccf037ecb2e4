package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;

import io.any4.checkpoint.InvalidInputException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CpuDeviceTest {
    @Test
    void saysWhichKernelsItChoseAndWhy() {
        try (CpuDevice device = CpuDevice.open(new CpuOptions(2, true))) {
            assertThat(device.describe()).matches("cpu: vector (128|256|512) bit, 2 threads, .*");
        }
    }

    @Test
    void roundsActivationsWhereItCan() {
        assumeThat(CpuDevice.obstacle(Activations.INT14)).isEmpty();
        try (CpuDevice device = CpuDevice.open(CpuOptions.fastest())) {
            assertThat(device.describe()).contains("quantized weights times 14-bit activations by AVX");
        }
    }

    @Test
    void roundsActivationsToBytesWhereItIsAskedTo() {
        assumeThat(CpuDevice.obstacle(Activations.INT8)).isEmpty();
        try (CpuDevice device = CpuDevice.open(new CpuOptions(1, true, null, Activations.INT8))) {
            assertThat(device.describe()).containsPattern("quantized weights times 8-bit activations by AVX.*VNNI");
        }
    }

    @ParameterizedTest
    @CsvSource({"INT14, sse9, avx2", "INT8, sse9, avx_vnni", "INT8, avx2, avx_vnni"})
    void saysWhatKeepsActivationsFromBeingRounded(Activations activations, String asked, String supported) {
        assumeThat(CpuDevice.obstacle(activations)).isEmpty();
        System.setProperty(IntegerInstructions.PROPERTY, asked);
        try {
            assertThatThrownBy(() -> CpuDevice.open(new CpuOptions(1, true, null, activations)))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageMatching(
                            "activations cannot be (int14|int8) here: system property any4.isa is '%s': supported here are .*%s"
                                    .formatted(asked, supported));
        } finally {
            System.clearProperty(IntegerInstructions.PROPERTY);
        }
    }

    @Test
    void runsWithFloatsWhereActivationsCannotBeRounded() {
        System.setProperty(IntegerInstructions.PROPERTY, "sse9");
        try (CpuDevice device = CpuDevice.open(CpuOptions.fastest())) {
            assertThat(device.describe()).doesNotContain("14-bit");
        } finally {
            System.clearProperty(IntegerInstructions.PROPERTY);
        }
    }

    @Test
    void refusesZeroThreads() {
        assertThatThrownBy(() -> new CpuOptions(0, false))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("cannot compute with 0 threads: use 1 or more");
    }

    @Test
    void refusesBuffersTooLargeForAnArray() {
        try (CpuDevice device = CpuDevice.open(CpuOptions.defaults())) {
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> device.allocate(1L << 31))
                    .withMessageContaining("use a shorter context");
        }
    }

    @Test
    void writesAndReadsAtOffsets() {
        try (CpuDevice device = CpuDevice.open(CpuOptions.defaults())) {
            Buffer buffer = device.allocate(4);
            device.write(new float[] {1, 2}, buffer, 1);
            float[] out = new float[2];
            device.read(buffer, 2, out, 2);
            assertThat(out).containsExactly(2, 0);
        }
    }
}
