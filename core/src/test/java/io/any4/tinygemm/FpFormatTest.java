package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class FpFormatTest {
    static Stream<FpFormat> formats() {
        return Stream.of(FpFormat.ofBits(4), FpFormat.ofBits(8)).flatMap(List::stream);
    }

    @Test
    void offersTheFormatsOfThePaper() {
        assertThat(FpFormat.ofBits(4)).hasToString("[E3M0, E2M1, E1M2]");
        assertThat(FpFormat.ofBits(8)).hasToString("[E5M2, E4M3, E3M4, E2M5, E1M6]");
        assertThatThrownBy(() -> FpFormat.ofBits(5)).isInstanceOf(IllegalArgumentException.class);
    }

    @ParameterizedTest
    @MethodSource("formats")
    void roundsAsTheDefinitionSays(FpFormat format) {
        Random random = new Random(3);
        for (double bias : new double[] {-1.37, 0, 2.5, 6}) {
            float scale = (float) Math.pow(2, bias);
            double maximum = format.largest() / scale;
            assertThat(format.bias(maximum)).isCloseTo(bias, within(1e-5));
            for (int i = 0; i < 500; i++) {
                float x = (float) (random.nextGaussian() * maximum / 2);
                double expected = slowly(format, x, Math.log(scale) / Math.log(2));
                assertThat((double) format.round(x * scale) / scale)
                        .isCloseTo(expected, within(1e-6 * (maximum + Math.abs(x))));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("formats")
    void manyAreRoundedLikeOne(FpFormat format) {
        Random random = new Random(4);
        float[] values = new float[83];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (random.nextGaussian() * Math.pow(2, random.nextInt(-20, 8)));
        }
        values[9] = 0f;
        values[10] = -Float.MIN_VALUE;
        values[11] = Float.NEGATIVE_INFINITY;
        values[12] = 1e38f;
        float[] rounded = values.clone();
        format.round(rounded, 3, 80);
        for (int i = 0; i < values.length; i++) {
            assertThat(rounded[i])
                    .as("of %s", values[i])
                    .isEqualTo(i < 3 || i >= 80 ? values[i] : format.round(values[i]));
        }
    }

    /// LLM-FP4's formula, in double.
    private static double slowly(FpFormat format, double x, double bias) {
        int m = format.mantissaBits();
        double maximum = (2 - Math.pow(2, -m)) * Math.pow(2, Math.pow(2, format.exponentBits()) - 1 - bias);
        double clamped = Math.max(-maximum, Math.min(maximum, x));
        double exponent = Math.max(1, Math.floor(Math.log(Math.abs(clamped)) / Math.log(2) + bias));
        double step = Math.pow(2, exponent - m - bias);
        return Math.rint(clamped / step) * step;
    }

    @ParameterizedTest
    @MethodSource("formats")
    void levelsAreExactlyTheNumbersThatStayAsTheyAre(FpFormat format) {
        float[] levels = format.levels();
        assertThat(levels).hasSize(1 << (1 + format.exponentBits() + format.mantissaBits()));
        for (int k = 0; k < levels.length; k++) {
            float value = levels[k] * format.levelFactor();
            assertThat(format.round(value)).isEqualTo(value);
            if (k > 0 && levels[k] > levels[k - 1]) {
                float below = levels[k - 1] * format.levelFactor();
                assertThat(format.round(0.45f * value + 0.55f * below)).isEqualTo(below);
                assertThat(format.round(0.55f * value + 0.45f * below)).isEqualTo(value);
            }
        }
        assertThat(levels[levels.length - 1] * format.levelFactor()).isEqualTo(format.largest());
        assertThat(levels[levels.length - 1]).isBetween(0.5f, 1f);
    }

    @Test
    void knowsTheNumbersOfE2m1() {
        assertThat(new FpFormat(2, 1).levels())
                .endsWith(0f, 1 / 16f, 2 / 16f, 3 / 16f, 4 / 16f, 6 / 16f, 8 / 16f, 12 / 16f);
    }

    @Test
    void aShiftedExponentBiasMayMoveToTheWeight() {
        FpFormat format = new FpFormat(2, 1);
        FloatActivations plain = new FloatActivations(format, new float[] {3.3f});
        FloatActivations shifted = new FloatActivations(format, new float[] {4 * 3.3f});
        Random random = new Random(5);
        float[] in = new float[1];
        float[] moved = new float[1];
        float[] there = new float[1];
        for (int i = 0; i < 100; i++) {
            in[0] = (float) random.nextGaussian();
            shifted.apply(in, 0, there, 0, 1);
            in[0] *= 4;
            plain.apply(in, 0, moved, 0, 1);
            assertThat(there[0]).isEqualTo(moved[0] / 4);
        }
    }
}
