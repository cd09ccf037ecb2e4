package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What the kernels execute per weight.
///
/// A multiprocessor of an H100 gets about 24 4-bit weights per clock from memory, of an H200 31, and does 64 lane
/// operations on integers and bits in that time: a weight may cost at most 2.7 of them, or 2.1.
class KernelCostTest {
    private static final double LANES = 32;

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void any4TakesOneBytePermutePerWeight(KernelSet kernels) {
        KernelCosts costs = KernelCosts.of(kernels, Kind.ANY4, 1);
        assertThat(costs.of("prmt")).isBetween(1.0, 1.01);
        assertThat(costs.logic()).as("logic per weight").isLessThan(2.5);
        assertThat(costs.of("mma")).isEqualTo(4 * LANES / 512);
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void int4TakesNoPermutes(KernelSet kernels) {
        KernelCosts costs = KernelCosts.of(kernels, Kind.INT4, 1);
        assertThat(costs.of("prmt")).isZero();
        assertThat(costs.logic()).as("logic per weight").isLessThan(1.4);
    }

    /// Codes, scales, tables and activations together, of which the second-level cache gives a multiprocessor of an
    /// H100
    /// about 27 bytes per clock: at batch 1's 24 weights per clock, 1.1 per weight.
    @ParameterizedTest
    @ValueSource(ints = {8, 16, 32})
    void activationsComeOnceForManyRows(int tokens) {
        KernelCosts costs = KernelCosts.of(KernelSet.BF16_SM90, Kind.ANY4, tokens);
        assertThat(costs.copiedBytes()).as("bytes copied").isLessThan(1.0);
        assertThat(costs.cacheRounds()).as("rounds through the cache").isLessThan(0.002);
        assertThat(costs.of("prmt")).isBetween(1.0, 1.1);
    }

    @Test
    void decodingIsPaidOnceForSixtyFourTokens() {
        assertThat(KernelCosts.of(KernelSet.BF16_SM90, Kind.ANY4, 64).of("prmt"))
                .isBetween(1.0, 1.05);
    }

    @Test
    void sharedMemoryIsFreeOfBankConflicts() {
        // Scalars take one round, vectors of 16 bytes four.
        assertThat(KernelCosts.of(KernelSet.BF16_SM90, Kind.ANY4, 1).counters().wavefrontsPerAccess())
                .isLessThan(2.5);
    }
}
