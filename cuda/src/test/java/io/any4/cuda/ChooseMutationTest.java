package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.cuda.ptx.PtxException;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Sampler;
import io.any4.tinygemm.Sampling;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;

/// Plants errors in the kernels that choose a token: what [ChooseTest] does is worth what it notices.
class ChooseMutationTest {
    private static final int COUNT = 2500;
    private static final int DRAWS = 4;
    private static final Sampling SAMPLING = new Sampling(1, 60, 0.9, 17);

    @Test
    void theKernelsAsShippedAreRight() {
        assertThat(wrongChoices(KernelSet.BF16_SM90.ptx())).isZero();
    }

    @Test
    void aMissingBarrierIsARace() {
        String mutated = mutate("choose_token", "bar\\.sync\\s+0;", text -> "");
        assertThatThrownBy(() -> wrongChoices(mutated))
                .isInstanceOf(PtxException.class)
                .hasMessageContaining("race on word");
    }

    @Test
    void anotherRandomNumberIsAnotherChoice() {
        String mutated = mutate("choose_histogram", "mul\\.hi\\.u64[^;]*;", text -> text.replace("mul.hi", "mul.lo"));
        assertThat(wrongChoices(mutated)).isPositive();
    }

    @Test
    void aBinThatIsOneBitTooNarrowIsNoticed() {
        String mutated =
                mutate("choose_histogram", "shr\\.u32\\s+%r\\d+, %r\\d+, 21;", text -> text.replace("21;", "22;"));
        assertThat(wrongChoices(mutated)).isPositive();
    }

    private static String mutate(String kernel, String pattern, UnaryOperator<String> change) {
        String ptx = KernelSet.BF16_SM90.ptx();
        Matcher found = Pattern.compile(pattern).matcher(ptx);
        assertThat(found.find(ptx.indexOf(".entry " + kernel + "(")))
                .as("an instruction to mutate")
                .isTrue();
        return ptx.substring(0, found.start()) + change.apply(found.group()) + ptx.substring(found.end());
    }

    private static int wrongChoices(String ptx) {
        Random random = new Random(5);
        float[] logits = new float[COUNT];
        for (int i = 0; i < COUNT; i++) {
            logits[i] = (float) (2 * random.nextGaussian());
        }
        int wrong = 0;
        try (CudaDevice device =
                new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90, SimGpu.SMALL, ptx), Activation.BF16)) {
            Buffer buffer = device.allocate(COUNT);
            device.write(logits, buffer, 0);
            Buffer chosen = device.allocate(1);
            float[] id = new float[1];
            for (int draw = 0; draw < DRAWS; draw++) {
                device.choose(buffer, 0, COUNT, SAMPLING, draw, chosen);
                device.read(chosen, 0, id, 1);
                wrong += id[0] == new Sampler().choose(logits, COUNT, SAMPLING, draw) ? 0 : 1;
            }
        }
        return wrong;
    }
}
