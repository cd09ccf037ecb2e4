package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Random;
import org.junit.jupiter.api.Test;

/// What a block of a quantized cache holds, against plain arithmetic.
class KvBlockTest {
    private static final int POSITIONS = KvFormat.Quantized.BLOCK;
    private static final int WIDTH = 24;
    private static final int HEAD = 8;

    /// Some channels of keys are far larger than the others, at all positions; some positions of values are.
    private final float[] keys = values(true);
    private final float[] values = values(false);

    private static float[] values(boolean byChannel) {
        Random random = new Random(3);
        float[] values = new float[POSITIONS * WIDTH];
        for (int t = 0; t < POSITIONS; t++) {
            for (int c = 0; c < WIDTH; c++) {
                boolean large = byChannel ? c % 7 == 2 : t % 9 == 4;
                values[t * WIDTH + c] = (float) (random.nextGaussian() * (large ? 20 : 0.5));
            }
        }
        return values;
    }

    private float[][] stored(String format) {
        KvFormat.Quantized quantized = (KvFormat.Quantized) KvFormat.parse(format);
        KvBlock block = KvBlock.quantize(quantized, keys, values, WIDTH, HEAD);
        float[][] out = new float[2][POSITIONS * WIDTH];
        block.dequantize(out[0], out[1], new float[KvFormat.Quantized.BLOCK]);
        return out;
    }

    @Test
    void keysAreRoundedPerChannelAndValuesPerPositionAndHead() {
        float[][] stored = stored("int4");
        for (int c = 0; c < WIDTH; c++) {
            assertRounded(keys, stored[0], c, WIDTH, POSITIONS);
        }
        for (int t = 0; t < POSITIONS; t++) {
            for (int h = 0; h < WIDTH; h += HEAD) {
                assertRounded(values, stored[1], t * WIDTH + h, 1, HEAD);
            }
        }
    }

    /// Sixteen even levels from the least to the largest of `count` numbers, `stride` apart; the least and the step are
    /// kept in 16 bits.
    private static void assertRounded(float[] exact, float[] stored, int from, int stride, int count) {
        float least = Float.POSITIVE_INFINITY;
        float largest = Float.NEGATIVE_INFINITY;
        for (int i = 0; i < count; i++) {
            least = Math.min(least, exact[from + i * stride]);
            largest = Math.max(largest, exact[from + i * stride]);
        }
        double step = narrow((largest - least) / 15);
        double zero = narrow(least);
        for (int i = 0; i < count; i++) {
            int at = from + i * stride;
            double code = Math.clamp(Math.rint((exact[at] - zero) / step), 0, 15);
            assertThat((double) stored[at]).isCloseTo(zero + step * code, within(1e-4 * step));
        }
    }

    private static double narrow(float value) {
        return Float.float16ToFloat(Float.floatToFloat16(value));
    }

    @Test
    void aLearnedTableHasASmallerError() {
        float[][] learned = stored("any4");
        float[][] even = stored("int4");
        assertThat(error(learned[0], keys)).isLessThan(error(even[0], keys));
        assertThat(error(learned[1], values)).isLessThan(error(even[1], values));
    }

    private static double error(float[] stored, float[] exact) {
        double error = 0;
        for (int i = 0; i < exact.length; i++) {
            error += Math.pow((double) stored[i] - exact[i], 2);
        }
        return error;
    }
}
