package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.DType;
import org.junit.jupiter.api.Test;

class RopeTest {
    @Test
    void plainFrequenciesFormAGeometricSeries() {
        float[] frequencies = Rope.plain(10_000).inverseFrequencies(8);
        assertThat(frequencies).containsExactly(new float[] {1f, 0.1f, 0.01f, 0.001f}, within(1e-9f));
    }

    @Test
    void linearScalingDividesEveryFrequency() {
        Rope rope = new Rope(Rope.Type.LINEAR, 10_000, 4, 1, 1, 0, DType.F32);
        assertThat(rope.inverseFrequencies(4)).containsExactly(new float[] {0.25f, 0.0025f}, within(1e-9f));
    }

    @Test
    void roundsFrequenciesOnlyIfAskedTo() {
        float[] exact = Rope.plain(10_000).inverseFrequencies(8);
        float[] rounded = Rope.plain(10_000).rounded(DType.BF16).inverseFrequencies(8);
        assertThat(rounded[1]).isNotEqualTo(exact[1]).isCloseTo(exact[1], within(exact[1] / 256));
    }

    /// The published definition, written by wavelength rather than by turns.
    @Test
    void llama3ScalingStretchesLongWavelengthsOnly() {
        int headDim = 128;
        double theta = 500_000;
        double factor = 8;
        double low = 1;
        double high = 4;
        double original = 8192;
        float[] actual =
                new Rope(Rope.Type.LLAMA3, theta, factor, low, high, 8192, DType.F32).inverseFrequencies(headDim);
        for (int i = 0; i < actual.length; i++) {
            double frequency = 1 / Math.pow(theta, 2.0 * i / headDim);
            double wavelength = 2 * Math.PI / frequency;
            double expected;
            if (wavelength < original / high) {
                expected = frequency;
            } else if (wavelength > original / low) {
                expected = frequency / factor;
            } else {
                double smooth = (original / wavelength - low) / (high - low);
                expected = (1 - smooth) * frequency / factor + smooth * frequency;
            }
            assertThat((double) actual[i]).isCloseTo(expected, within(expected * 1e-6));
        }
        assertThat(actual[0]).isEqualTo(1f);
    }
}
