package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.BitPacking;
import io.any4.tensor.DType;
import io.any4.tensor.Floats;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.lang.foreign.ValueLayout;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// The oracle against values worked out by hand.
class ScalarDeviceTest {
    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);

    @AfterEach
    void close() {
        team.close();
    }

    private Buffer buffer(float... values) {
        Buffer buffer = device.allocate(values.length);
        device.write(values, buffer, 0);
        return buffer;
    }

    private float[] read(Buffer buffer) {
        float[] out = new float[(int) buffer.length()];
        device.read(buffer, 0, out, out.length);
        return out;
    }

    private Buffer product(Weight weight, int tokens, float... x) {
        Buffer y = device.allocate((long) tokens * weight.rows());
        device.matmul(device.prepare(weight), buffer(x), tokens, y);
        return y;
    }

    private static Tensor codes(int bits, int columns, byte[]... rows) {
        Tensor codes = Tensor.allocate(Arena.ofAuto(), DType.U8, rows.length, BitPacking.rowBytes(columns, bits));
        for (int r = 0; r < rows.length; r++) {
            BitPacking.packRow(rows[r], bits, codes, r);
        }
        return codes;
    }

    @Test
    void saysWhatItIs() {
        assertThat(device.describe()).isEqualTo("cpu: scalar, 2 threads");
    }

    @Test
    void multipliesADenseMatrix() {
        Weight weight = new DenseWeight(Tensor.ofFloats(DType.BF16, new float[] {1, 2, 3, 4, 5, 6}, 2, 3));
        assertThat(read(product(weight, 2, 1, 0, -1, 1, 1, 1))).containsExactly(-2, -2, 6, 15);
    }

    @Test
    void multipliesALutMatrixWithAShortLastGroup() {
        Weight weight = new LutWeight(
                2,
                3,
                2,
                codes(2, 3, new byte[] {0, 1, 3}, new byte[] {2, 2, 0}),
                Tensor.ofFloats(new float[] {-1, 0, 1, 2, 0, 10, 20, 30}, 2, 4),
                Tensor.ofFloats(DType.F16, new float[] {2, 3, 1, 1}, 2, 2),
                Tensor.ofFloats(DType.F16, new float[] {0.5f, -1, 0, 4}, 2, 2));
        // row 0: -1.5 0.5 | 5; row 1: 20 20 | 4
        assertThat(read(product(weight, 1, 2, 4, 1))).containsExactly(4, 124);
    }

    @Test
    void multipliesAnInt8Matrix() {
        Tensor codes = Tensor.allocate(Arena.ofAuto(), DType.I8, 1, 3);
        codes.data().set(ValueLayout.JAVA_BYTE, 0, (byte) -128);
        codes.data().set(ValueLayout.JAVA_BYTE, 1, (byte) 127);
        codes.data().set(ValueLayout.JAVA_BYTE, 2, (byte) 2);
        Weight weight = new IntWeight(2, codes, Tensor.ofFloats(new float[] {0.5f, 2}, 1, 2), null);
        assertThat(read(product(weight, 1, 1, 2, 3))).containsExactly(-64 + 127 + 12);
    }

    @Test
    void embedsRows() {
        Weight weight = new DenseWeight(Tensor.ofFloats(new float[] {1, 2, 3, 4, 5, 6}, 3, 2));
        Buffer out = device.allocate(4);
        device.embed(device.prepare(weight), new int[] {2, 0}, out);
        assertThat(read(out)).containsExactly(5, 6, 1, 2);
    }

    @Test
    void addsAndBiases() {
        Buffer x = buffer(1, 2, 3, 4);
        device.add(x, buffer(10, 20, 30, 40), 3);
        assertThat(read(x)).containsExactly(11, 22, 33, 4);
        device.addBias(x, buffer(1, -1), 2, 2);
        assertThat(read(x)).containsExactly(12, 21, 34, 3);
    }

    @Test
    void normalizesRows() {
        Buffer x = buffer(3, 4, 0, 0);
        device.rmsNorm(x, buffer(1, 2), 0.5f, 2, 2, x);
        // row 0: mean square 12.5, so 1 / sqrt(13); row 1 stays zero
        assertThat(read(x)).containsExactly((float) (3 / Math.sqrt(13)), (float) (8 / Math.sqrt(13)), 0, 0);
    }

    @Test
    void rotatesHalvesOfEachHead() {
        Buffer x = buffer(1, 2, 3, 4, 1, 2, 3, 4); // two tokens, one head
        float quarter = (float) (Math.PI / 2);
        device.rope(x, buffer(quarter, 0), 1, 4, Span.alone(2), 1);
        float[] y = read(x);
        // position 1: (1, 3) turns by 90 degrees into (-3, 1); frequency 0 leaves (2, 4); position 2: 180 degrees
        float[] expected = {-3, 2, 1, 4, -1, 2, -3, 4};
        for (int i = 0; i < y.length; i++) {
            assertThat(y[i]).isCloseTo(expected[i], within(1e-5f));
        }
    }

    @Test
    void attendsCausallyWithSharedHeads() {
        // one token at position 1, two query heads share one key-value head of size 1
        Buffer keys = device.allocate(4);
        Buffer values = device.allocate(4);
        device.store(buffer(0), 1, keys, Span.alone(1), 0);
        device.store(buffer((float) Math.log(3)), 1, keys, Span.alone(1), 1);
        device.store(buffer(8, 4), 1, values, Span.alone(2), 0);
        Buffer out = device.allocate(2);
        device.attention(buffer(1, 0), keys, values, new AttentionShape(2, 1, 1, 0), Span.alone(1), 1, out);
        // head 0 weighs the positions 1 : 3, head 1 equally
        assertThat(read(out)[0]).isCloseTo(5, within(1e-6f));
        assertThat(read(out)[1]).isEqualTo(6);
    }

    @Test
    void aQuerySeesOnlyItsPastAndItsWindow() {
        Buffer keys = buffer(0, 0, 0, 0);
        Buffer values = buffer(1, 2, 4, 8);
        Buffer out = device.allocate(4);
        Buffer q = buffer(1, 1, 1, 1);
        device.attention(q, keys, values, new AttentionShape(1, 1, 1, 0), Span.alone(4), 0, out);
        assertThat(read(out)).containsExactly(1, 1.5f, 7f / 3, 3.75f);
        device.attention(q, keys, values, new AttentionShape(1, 1, 1, 2), Span.alone(4), 0, out);
        assertThat(read(out)).containsExactly(1, 1.5f, 3, 6);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F32", "F16", "BF16"})
    void aCacheRoundsWhatIsStored(DType dtype) {
        float[] values = {1, 1 + 0x1p-8f, 1 + 0x1p-11f, -3.1415927f, 1e-7f, 60000};
        Buffer cache = device.allocate(dtype, 8);
        device.store(buffer(values), 3, cache, Span.alone(2), 0);
        device.write(new float[] {0.1f}, cache, 7);
        float[] out = new float[7];
        device.read(cache, 1, out, 7);
        for (int i = 1; i < values.length; i++) {
            assertThat(out[i - 1]).isEqualTo(Floats.round(values[i], dtype));
        }
        assertThat(out[5]).isZero();
        assertThat(out[6]).isEqualTo(Floats.round(0.1f, dtype));
        assertThat(cache.dtype()).isEqualTo(dtype);
    }

    @Test
    void aHalfPrecisionCacheHoldsItsLargestNumberForWhatIsTooLarge() {
        Buffer cache = device.allocate(DType.F16, 2);
        device.store(buffer(1e6f, Float.NEGATIVE_INFINITY), 2, cache, Span.alone(1), 0);
        float[] out = new float[2];
        device.read(cache, 0, out, 2);
        assertThat(out).containsExactly(65504, -65504);
    }

    @ParameterizedTest
    @EnumSource(
            value = DType.class,
            names = {"F16", "BF16"})
    void attendsToWhatACacheHolds(DType dtype) {
        float[] keys = {0.3f, -1.7f, 0.9f, 2.1f};
        float[] values = {1.1f, -2.3f, 4.7f, 0.2f};
        AttentionShape shape = new AttentionShape(2, 1, 2, 0);
        Buffer q = buffer(0.4f, 1.3f, -0.8f, 0.6f);
        Buffer expected = device.allocate(4);
        device.attention(
                q, buffer(rounded(keys, dtype)), buffer(rounded(values, dtype)), shape, Span.alone(1), 1, expected);
        Buffer k = device.allocate(dtype, 4);
        Buffer v = device.allocate(dtype, 4);
        device.store(buffer(keys), 2, k, Span.alone(2), 0);
        device.store(buffer(values), 2, v, Span.alone(2), 0);
        Buffer out = device.allocate(4);
        device.attention(q, k, v, shape, Span.alone(1), 1, out);
        assertThat(read(out)).isEqualTo(read(expected));
    }

    private static float[] rounded(float[] values, DType dtype) {
        float[] out = new float[values.length];
        for (int i = 0; i < out.length; i++) {
            out[i] = Floats.round(values[i], dtype);
        }
        return out;
    }

    @Test
    void gatesWithSilu() {
        Buffer gate = buffer(0, 1, -1);
        device.swiglu(gate, buffer(5, 2, 2), 3, gate);
        double sigmoid = 1 / (1 + Math.exp(-1));
        assertThat(read(gate)).containsExactly(0, (float) (2 * sigmoid), (float) (2 * sigmoid - 2));
    }

    @Test
    void gathersAndScattersRows() {
        Buffer x = buffer(1, 2, 3, 4, 5, 6);
        Buffer some = device.allocate(4);
        device.gather(x, new int[] {2, 0}, 2, some);
        assertThat(read(some)).containsExactly(5, 6, 1, 2);
        device.scatterAdd(some, new int[] {1, 1}, new float[] {1, 10}, 2, x);
        assertThat(read(x)).containsExactly(1, 2, 18, 30, 5, 6);
    }
}
