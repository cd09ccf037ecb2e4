package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.cuda.ptx.PtxException;
import io.any4.tinygemm.Weight;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Plants errors in a shipped kernel: the tests of kernels are worth what they notice.
class MutationTest {
    private static final String KERNEL = "lut4_g128_n1";
    private static final Weight WEIGHT = new RandomWeights(21).weight(Kind.ANY4, 16, 2048, 128);
    private static final float[] X = new RandomWeights(22).activations(WEIGHT.columns());

    @Test
    void theKernelAsShippedIsRight() {
        assertThat(error(KernelSet.BF16_SM90.ptx())).isLessThan(4e-3);
    }

    @Test
    void aWrongMaskGivesWrongResults() {
        String mutated =
                mutate("and\\.b32\\s+%r\\d+, %r\\d+, 2004318071;", text -> text.replace("2004318071", "2004318067"));
        assertThat(error(mutated)).isGreaterThan(4e-3);
    }

    @Test
    void aWrongByteSelectorGivesWrongResults() {
        String mutated = mutate("mov\\.[bu]32\\s+%r\\d+, 20800;", text -> text.replace("20800", "20544"));
        assertThat(error(mutated)).isGreaterThan(4e-3);
    }

    @Test
    void aMissingBarrierIsARace() {
        String mutated = mutate("bar\\.sync\\s+0;", text -> "");
        assertThatThrownBy(() -> error(mutated))
                .isInstanceOf(PtxException.class)
                .hasMessageContaining("race on word");
    }

    @Test
    void aShiftedLoadIsMisaligned() {
        String mutated = mutate(
                "ld\\.global\\.cs\\.v4\\.u32\\s+[^;]*\\[%rd\\d+(\\+\\d+)?];",
                text -> text.contains("+") ? text.replaceFirst("\\+\\d+]", "+4]") : text.replace("]", "+4]"));
        assertThatThrownBy(() -> error(mutated))
                .isInstanceOf(PtxException.class)
                .hasMessageContaining("misaligned");
    }

    @Test
    void aLoadPastTheEndIsOutOfBounds() {
        String mutated = mutate(
                "ld\\.global\\.cs\\.v4\\.u32\\s+[^;]*\\[%rd\\d+(\\+\\d+)?];",
                text -> text.contains("+") ? text.replaceFirst("\\+\\d+]", "+65536]") : text.replace("]", "+65536]"));
        assertThatThrownBy(() -> error(mutated))
                .isInstanceOf(PtxException.class)
                .hasMessageContaining("out of bounds");
    }

    @Test
    void aNeighbouringLoadGivesWrongResults() {
        String mutated =
                mutate("ld\\.global\\.v4\\.u32\\s+[^;]*\\[%rd\\d+\\+64];", text -> text.replace("+64]", "+80]"));
        assertThat(error(mutated)).isGreaterThan(4e-3);
    }

    private static String mutate(String pattern, java.util.function.UnaryOperator<String> change) {
        String ptx = KernelSet.BF16_SM90.ptx();
        int begin = ptx.indexOf(".entry " + KERNEL + "(");
        Matcher found = Pattern.compile(pattern).matcher(ptx);
        assertThat(found.find(begin)).as("an instruction to mutate").isTrue();
        String mutated = ptx.substring(0, found.start()) + change.apply(found.group()) + ptx.substring(found.end());
        assertThat(mutated).as("the mutated text").isNotEqualTo(ptx);
        return mutated;
    }

    private static double error(String ptx) {
        try (CudaDevice device = new CudaDevice(() -> new SimGpu(ptx), Activation.BF16)) {
            return Oracle.relativeError(GemmTest.product(device, WEIGHT, X, 1), Oracle.matmul(WEIGHT, X, 1));
        }
    }
}
