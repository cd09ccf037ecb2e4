package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.cuda.ptx.PtxException;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Plants errors in shipped kernels: the tests of kernels are worth what they notice.
class MutationTest {
    private static final String KERNEL = "lut4_g128_n4";
    private static final String CODES = "ld\\.global\\.cs\\.v4\\.u32\\s+[^;]*\\[%rd\\d+(\\+\\d+)?];";
    private static final Weight WEIGHT = new RandomWeights(21).weight(Kind.ANY4, 16, 12288, 128);

    /// So few columns that some warps have one unit, others two: both ways through the loop over units are taken.
    private static final Weight FEW = new RandomWeights(25).weight(Kind.ANY4, 16, 1536, 128);

    private static final float[] X = new RandomWeights(22).activations(WEIGHT.columns());

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void theKernelAsShippedIsRight(KernelSet kernels) {
        assertThat(error(kernels, kernels.ptx())).isLessThan(4e-3);
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void aWrongMaskGivesWrongResults(KernelSet kernels) {
        String mutated =
                mutate(kernels, "xor\\.b32\\s+%r\\d+, %r\\d+, -2004318072;", text -> text.replace("-2004318072", "0"));
        assertThat(error(kernels, FEW, mutated)).isGreaterThan(4e-3);
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void swappedEntriesGiveWrongResults(KernelSet kernels) {
        String mutated = mutate(
                kernels,
                "prmt\\.b32 %r\\d+, %r\\d+, %r\\d+, %r\\d+;",
                text -> text.replaceFirst(", (%r\\d+), (%r\\d+), ", ", $2, $1, "));
        assertThat(error(kernels, FEW, mutated)).isGreaterThan(4e-3);
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void aMissingBarrierIsARace(KernelSet kernels) {
        noticed(kernels, "bar\\.sync\\s+0;", text -> "", "race on word");
    }

    @ParameterizedTest
    @EnumSource(names = {"BF16_SM80", "BF16_SM90"})
    void aNeighbouringLoadGivesWrongResults(KernelSet kernels) {
        String mutated =
                mutate(kernels, "ld\\.global\\.v4\\.u32\\s+[^;]*\\[%rd\\d+];", text -> text.replace("]", "+16]"));
        assertThat(error(kernels, FEW, mutated)).isGreaterThan(4e-3);
    }

    /// Kernels that load weights to registers.
    @Nested
    class Registers {
        @Test
        void aShiftedLoadIsMisaligned() {
            noticed(KernelSet.BF16_SM80, CODES, text -> shifted(text, 4), "misaligned");
        }

        @Test
        void aLoadPastTheEndIsOutOfBounds() {
            noticed(KernelSet.BF16_SM80, CODES, text -> shifted(text, 1 << 20), "out of bounds");
        }

        private String shifted(String text, int bytes) {
            return text.contains("+")
                    ? text.replaceFirst("\\+\\d+]", "+" + bytes + "]")
                    : text.replace("]", "+" + bytes + "]");
        }
    }

    /// Kernels that stream weights through shared memory.
    @Nested
    class Streamed {
        private static final KernelSet KERNELS = KernelSet.BF16_SM90;
        private static final String EXPECT =
                "(mbarrier\\.arrive\\.expect_tx\\.shared::cta\\.b64 _, \\[%r\\d+], )%r\\d+;";
        private static final String WAIT =
                "mbarrier\\.try_wait\\.parity\\.shared::cta\\.b64 p, \\[(%r\\d+)], (%r\\d+);";
        private static final String COPY = "cp\\.async\\.bulk\\S+ \\[(%r\\d+)], \\[(%rd\\d+)], (%r\\d+), \\[(%r\\d+)];";

        @Test
        void tooFewExpectedBytesAreNoticed() {
            noticed(KERNELS, EXPECT, text -> text.replaceFirst("%r\\d+;", "16;"), "bytes fewer than arrive");
        }

        @Test
        void tooManyExpectedBytesMakeItWaitForever() {
            noticed(KERNELS, EXPECT, text -> text.replaceFirst("%r\\d+;", "65536;"), "waits forever");
        }

        @Test
        void aCopyOfAWrongSizeIsNoticed() {
            noticed(KERNELS, COPY, text -> text.replaceFirst(", %r\\d+, ", ", 1032, "), "misaligned");
            noticed(KERNELS, COPY, text -> text.replaceFirst(", %r\\d+, ", ", 16, "), "waits forever");
            noticed(KERNELS, COPY, text -> text.replaceFirst(", %r\\d+, ", ", 262144, "), "out of bounds");
        }

        @Test
        void aMissingWaitIsARace() {
            noticed(KERNELS, WAIT, text -> "setp.eq.u32 p, 0, 0;", "and a bulk copy at");
        }

        @Test
        void waitingForTheNextStageIsARace() {
            String mutated = mutate(KERNELS, WAIT, text -> text.replaceFirst("\\[(%r\\d+)]", "[$1+8]"));
            assertThatThrownBy(() -> error(KERNELS, deep(), WEIGHT, mutated))
                    .isInstanceOf(PtxException.class)
                    .hasMessageContaining("and a bulk copy at");
        }

        @Test
        void aWrongParityIsNoticed() {
            noticed(KERNELS, WAIT, text -> text.replaceFirst(", %r\\d+;", ", 1;"), "and a bulk copy at");
        }

        @Test
        void overwritingAStageBeforeAllHaveReadItIsARace() {
            String mutated = replaceNth(KERNELS.ptx(), "bar\\.warp\\.sync\\s+-1;", 2, text -> "");
            assertThatThrownBy(() -> error(KERNELS, deep(), WEIGHT, mutated))
                    .isInstanceOf(PtxException.class)
                    .hasMessageContaining("race on word");
        }

        @Test
        void aBarrierThatTheCopyEngineWasNotShownIsNoticed() {
            noticed(KERNELS, "fence\\.proxy\\.async\\.shared::cta;", text -> "", "was not shown the barrier");
        }

        @Test
        void withoutTheFenceOfWhoWritesPartialSumsTheyRace() {
            noticed(KERNELS, "membar\\.gl;", text -> "", "race on word");
        }

        @Test
        void withoutTheFenceOfWhoAddsPartialSumsTheyRace() {
            String mutated = replaceNth(KERNELS.ptx(), "membar\\.gl;", 2, text -> "");
            assertThatThrownBy(() -> error(KERNELS, mutated))
                    .isInstanceOf(PtxException.class)
                    .hasMessageContaining("race on word");
        }

        @Test
        void withoutTheBarrierBeforePartialSumsAreToldOfTheyRace() {
            // The barriers in order: after the warps' sums of an item, before telling, after telling.
            String mutated = replaceNth(KERNELS.ptx(), "bar\\.sync\\s+0;", 2, text -> "");
            assertThatThrownBy(() -> error(KERNELS, mutated))
                    .isInstanceOf(PtxException.class)
                    .hasMessageContaining("race on word");
        }

        @Test
        void readingActivationsBeforeEarlierKernelsHaveEndedIsNoticed() {
            noticed(KERNELS, "griddepcontrol\\.wait;", text -> "", "before griddepcontrol.wait");
        }

        /// More items for a block than it has stages.
        private Chip deep() {
            return new Chip(1, 1);
        }
    }

    /// Kernels that keep activations in shared memory.
    @Nested
    class Wide {
        private static final KernelSet KERNELS = KernelSet.BF16_SM90;
        private static final String WIDE = "lut4_g128_n16";
        private static final int TOKENS = 11;

        /// Row tiles for three rounds of both teams but one, in four pieces of k.
        private static final Weight TALL = new RandomWeights(23).weight(Kind.ANY4, 80, 6144, 128);

        private static final float[] MANY = new RandomWeights(24).activations(TOKENS * 6144);

        @Test
        void theKernelAsShippedIsRight() {
            assertThat(wideError(KERNELS.ptx())).isLessThan(4e-3);
        }

        @Test
        void aMissingWaitForActivationsIsARace() {
            noticedIn(Streamed.WAIT, 1, "setp.eq.u32 p, 0, 0;", "and a bulk copy at");
        }

        @Test
        void aMissingWaitForWeightsIsARace() {
            noticedIn(Streamed.WAIT, 2, "setp.eq.u32 p, 0, 0;", "and a bulk copy at");
        }

        @Test
        void overwritingAStageBeforeAllHaveReadItIsARace() {
            noticedIn("bar\\.warp\\.sync\\s+-1;", 1, "", "race on word");
        }

        /// The barriers in order: after barriers are made, after the warps' sums, before telling, after telling.
        @ParameterizedTest
        @CsvSource({"1, 'the barrier'", "2, 'race on word'", "3, 'race on word'", "4, 'race on word'"})
        void withoutABarrierItRaces(int which, String message) {
            noticedIn("bar\\.sync\\s+0;", which, "", message);
        }

        @ParameterizedTest
        @ValueSource(ints = {1, 2})
        void withoutAFenceItRaces(int which) {
            noticedIn("membar\\.gl;", which, "", "race on word");
        }

        @Test
        void readingActivationsBeforeEarlierKernelsHaveEndedIsNoticed() {
            noticedIn("griddepcontrol\\.wait;", 1, "", "before griddepcontrol.wait");
        }

        private void noticedIn(String pattern, int n, String replacement, String message) {
            String mutated = replaceNth(WIDE, KERNELS.ptx(), pattern, n, text -> replacement);
            assertThatThrownBy(() -> wideError(mutated))
                    .isInstanceOf(PtxException.class)
                    .hasMessageContaining(message);
        }

        private double wideError(String ptx) {
            try (CudaDevice device =
                    new CudaDevice(() -> new SimGpu(KERNELS, SimGpu.SMALL, ptx), KERNELS.activation())) {
                float[] y = GemmTest.product(device, TALL, MANY, TOKENS);
                return Oracle.relativeError(y, Oracle.matmul(TALL, MANY, TOKENS));
            }
        }
    }

    private static void noticed(KernelSet kernels, String pattern, UnaryOperator<String> change, String message) {
        String mutated = mutate(kernels, pattern, change);
        assertThatThrownBy(() -> error(kernels, mutated))
                .isInstanceOf(PtxException.class)
                .hasMessageContaining(message);
    }

    private static String mutate(KernelSet kernels, String pattern, UnaryOperator<String> change) {
        return replaceNth(kernels.ptx(), pattern, 1, change);
    }

    private static String replaceNth(String ptx, String pattern, int n, UnaryOperator<String> change) {
        return replaceNth(KERNEL, ptx, pattern, n, change);
    }

    /// Changes the n-th match, from 1, in a kernel.
    private static String replaceNth(String kernel, String ptx, String pattern, int n, UnaryOperator<String> change) {
        int begin = ptx.indexOf(".entry " + kernel + "(");
        int end = ptx.indexOf(".entry ", begin + 1);
        Matcher found = Pattern.compile(pattern).matcher(ptx).region(begin, end < 0 ? ptx.length() : end);
        for (int i = 0; i < n; i++) {
            assertThat(found.find()).as("an instruction to mutate").isTrue();
        }
        String mutated = ptx.substring(0, found.start()) + change.apply(found.group()) + ptx.substring(found.end());
        assertThat(mutated).as("the mutated text").isNotEqualTo(ptx);
        return mutated;
    }

    private static double error(KernelSet kernels, String ptx) {
        return error(kernels, WEIGHT, ptx);
    }

    private static double error(KernelSet kernels, Weight weight, String ptx) {
        return error(kernels, SimGpu.SMALL, weight, ptx);
    }

    private static double error(KernelSet kernels, Chip chip, Weight weight, String ptx) {
        float[] x = Arrays.copyOf(X, weight.columns());
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(kernels, chip, ptx), kernels.activation())) {
            return Oracle.relativeError(GemmTest.product(device, weight, x, 1), Oracle.matmul(weight, x, 1));
        }
    }
}
