package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Span;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// Which operations become one launch, and which must not.
class LoweringTest {
    private static final int WIDTH = 64;

    private final SimGpu gpu = new SimGpu(KernelSet.BF16_SM90);
    private final Inputs inputs = new Inputs(gpu);
    private final Lowering lowering = new Lowering(gpu, inputs, new Packing(gpu));
    private final List<Op> ops = new ArrayList<>();
    private final CudaBuffer residual = buffer();
    private final CudaBuffer normed = buffer();
    private final CudaBuffer q = buffer();
    private final CudaBuffer k = buffer();
    private final CudaBuffer v = buffer();
    private final CudaBuffer out = buffer();
    private final CudaBuffer gain = buffer();
    private CudaMatrix square;
    private CudaMatrix other;

    @BeforeEach
    void matrices() {
        square = matrix(Kind.ANY4);
        other = matrix(Kind.INT8);
    }

    @Test
    void aDecoderLayerTakesTenLaunches() {
        CudaBuffer keys = new CudaBuffer(gpu.allocate(400L * WIDTH * 4), 400L * WIDTH);
        CudaBuffer values = new CudaBuffer(gpu.allocate(400L * WIDTH * 4), 400L * WIDTH);
        norm();
        product(square, normed, q);
        product(square, normed, k);
        product(square, normed, v);
        ops.add(new Op.Rotate(q, gain, 2, 32, Span.alone(1), 300));
        ops.add(new Op.Rotate(k, gain, 2, 32, Span.alone(1), 300));
        ops.add(new Op.Store(k, WIDTH, keys, Span.alone(1), 300));
        ops.add(new Op.Store(v, WIDTH, values, Span.alone(1), 300));
        ops.add(new Op.Attend(q, keys, values, new AttentionShape(2, 2, 32, 0), Span.alone(1), 300, out));
        product(square, out, normed);
        ops.add(new Op.Add(residual, normed, WIDTH));
        norm();
        product(square, normed, q);
        product(square, normed, k);
        ops.add(new Op.Swiglu(q, k, WIDTH, q));
        product(square, q, out);
        ops.add(new Op.Add(residual, out, WIDTH));
        assertThat(kernels())
                .containsExactly(
                        "rms_norm",
                        "lut4_g32_n4",
                        "rope_store_f32",
                        "attention_f32_d1_h1",
                        "attention_merge",
                        "lut4_g32_n4",
                        "rms_norm",
                        "lut4_g32_n4",
                        "swiglu",
                        "lut4_g32_n4");
    }

    @Test
    void biasesJoinTheirProducts() {
        norm();
        product(square, normed, q);
        ops.add(new Op.AddBias(q, gain, 1, WIDTH));
        product(square, normed, k);
        ops.add(new Op.AddBias(k, gain, 1, WIDTH));
        assertThat(kernels()).containsExactly("rms_norm", "lut4_g32_n4");
    }

    @Test
    void productsOfOtherFormatsAreLaunchesOfTheirOwn() {
        norm();
        product(square, normed, q);
        product(other, normed, k);
        assertThat(kernels()).containsExactly("rms_norm", "lut4_g32_n4", "int8_g32_n4");
    }

    @Test
    void aFourthProductStartsAnotherLaunch() {
        norm();
        product(square, normed, q);
        product(square, normed, k);
        product(square, normed, v);
        product(square, normed, out);
        assertThat(kernels()).containsExactly("rms_norm", "lut4_g32_n4", "lut4_g32_n4");
    }

    @Test
    void changedActivationsArePackedAgain() {
        product(square, normed, q);
        ops.add(new Op.Add(normed, q, WIDTH));
        product(square, normed, k);
        assertThat(kernels()).containsExactly("pack", "lut4_g32_n4", "add", "pack", "lut4_g32_n4");
    }

    @Test
    void aProductOfAnothersResultWaitsForIt() {
        product(square, normed, q);
        product(square, q, k);
        assertThat(kernels()).containsExactly("pack", "lut4_g32_n4", "pack", "lut4_g32_n4");
    }

    @Test
    void stepsAtOtherPositionsAreTheSameLaunches() {
        List<Launch> first = stepAt(5);
        assertThat(stepAt(6)).isEqualTo(first);
        assertThat(stepAt(600)).isNotEqualTo(first);
    }

    @Test
    void stepsAtOtherPositionsRepeatUnlessTheirLaunchesDiffer() {
        List<Op> first = appending(5, 5);
        assertThat(Repetition.of(appending(6, 6), first)).isTrue();
        assertThat(Repetition.of(appending(6, 7), first))
                .as("no longer one launch")
                .isFalse();
        assertThat(Repetition.of(appending(200, 200), first)).as("more splits").isFalse();
        assertThat(Repetition.of(first.subList(0, 4), first)).isFalse();
    }

    private List<Op> appending(int position, int valuePosition) {
        return List.of(
                new Op.Rotate(q, gain, 2, 32, Span.alone(1), position),
                new Op.Rotate(k, gain, 2, 32, Span.alone(1), position),
                new Op.Store(k, WIDTH, residual, Span.alone(1), position),
                new Op.Store(v, WIDTH, out, Span.alone(1), valuePosition),
                new Op.Attend(q, residual, out, new AttentionShape(2, 2, 32, 0), Span.alone(1), position, normed));
    }

    private List<Launch> stepAt(int position) {
        ops.clear();
        ops.add(new Op.Embed(square, new int[] {position % 7}, q));
        ops.add(new Op.Rotate(q, gain, 2, 32, Span.alone(1), position));
        ops.add(new Op.Attend(q, k, v, new AttentionShape(2, 2, 32, 0), Span.alone(1), position, out));
        List<Launch> launches = lowering.lower(ops);
        inputs.send(false);
        return launches;
    }

    private void norm() {
        ops.add(new Op.Norm(residual, gain, 1e-5f, 1, WIDTH, normed));
    }

    private void product(CudaMatrix w, CudaBuffer x, CudaBuffer y) {
        ops.add(new Op.MatMul(w, x, 1, y));
    }

    private List<String> kernels() {
        return lowering.lower(ops).stream().map(Launch::kernel).toList();
    }

    private CudaBuffer buffer() {
        return new CudaBuffer(gpu.allocate(WIDTH * 4), WIDTH);
    }

    private CudaMatrix matrix(Kind kind) {
        Weight weight = new RandomWeights(61).weight(kind, WIDTH, WIDTH, 32);
        try (Arena arena = Arena.ofShared()) {
            return CudaMatrix.upload(gpu, weight, new WeightPacker(Activation.BF16, arena).pack(weight));
        }
    }
}
