package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Sampler;
import io.any4.tinygemm.Sampling;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Tokens chosen by interpreted kernels, against the choices of the host.
class ChooseTest {
    private static CudaDevice device;

    private final Random random = new Random(71);
    private final Sampler sampler = new Sampler();

    @BeforeAll
    static void open() {
        device = new CudaDevice(() -> new SimGpu(KernelSet.BF16_SM90), Activation.BF16);
    }

    @AfterAll
    static void close() {
        device.close();
    }

    @ParameterizedTest
    @CsvSource({
        "1,    1,   0, 1",
        "2500, 0,   0, 1",
        "2500, 1,   0, 1",
        "2500, 0.6, 0, 1",
        "1024, 1.3, 40, 1",
        "2500, 1,   3, 1",
        "2500, 1,   9999, 1",
        "2500, 1,   0, 0.9",
        "2500, 0.7, 0, 0.3",
        "1025, 2,   100, 0.8",
        "3000, 1,   5, 0.0001",
        "300,  1e-30, 20, 0.5"
    })
    void choosesWhatTheHostChooses(int count, double temperature, int topK, double topP) {
        float[] logits = logits(count);
        for (int draw = 0; draw < 6; draw++) {
            Sampling sampling = new Sampling(temperature, topK, topP, 1234567 + draw % 2);
            assertThat(choose(logits, count, sampling, draw))
                    .as("draw %d", draw)
                    .isEqualTo(sampler.choose(logits, count, sampling, draw));
        }
    }

    /// Few values, so that thresholds fall among equals, which count in the order of the vocabulary.
    @ParameterizedTest
    @CsvSource({"1, 0, 1", "1, 700, 1", "1, 0, 0.5", "1, 900, 0.7", "0, 0, 1"})
    void equalLogitsCountInOrder(double temperature, int topK, double topP) {
        float[] logits = new float[2100];
        for (int i = 0; i < logits.length; i++) {
            logits[i] = new float[] {-1, -0f, 0f, 1, 1}[random.nextInt(5)];
        }
        for (int draw = 0; draw < 5; draw++) {
            Sampling sampling = new Sampling(temperature, topK, topP, 5);
            assertThat(choose(logits, logits.length, sampling, draw))
                    .as("draw %d", draw)
                    .isEqualTo(sampler.choose(logits, logits.length, sampling, draw));
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 1", "1, 0, 1", "1, 5, 0.9"})
    void whatIsNotANumberIsNotChosenFrom(double temperature, int topK, double topP) {
        Sampling sampling = new Sampling(temperature, topK, topP, 5);
        for (int place : new int[] {1, 1500, 2047}) {
            float[] logits = logits(2048);
            logits[place] = place == 1500 ? Float.intBitsToFloat(0xffc00001) : Float.NaN;
            assertThat(choose(logits, 2048, sampling, 0)).isEqualTo(Sampler.NONE);
            assertThat(choose(logits, place, sampling, 0))
                    .as("behind the vocabulary")
                    .isNotNegative();
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 0, 1", "1, 0, 1", "1, 5, 0.9"})
    void infiniteLogitsAreSurvived(double temperature, int topK, double topP) {
        Sampling sampling = new Sampling(temperature, topK, topP, 5);
        float[] logits = logits(1500);
        logits[700] = Float.POSITIVE_INFINITY;
        assertThat(choose(logits, 1500, sampling, 0)).isEqualTo(700);
        Arrays.fill(logits, Float.NEGATIVE_INFINITY);
        assertThat(choose(logits, 1500, sampling, 0)).isZero();
        logits[1200] = -3;
        assertThat(choose(logits, 1500, sampling, 0)).isEqualTo(1200);
    }

    @Test
    void eachRowHasItsOwnChoice() {
        int count = 1037; // rows that are not aligned
        float[] logits = logits(3 * count);
        Buffer buffer = device.allocate(logits.length);
        device.write(logits, buffer, 0);
        Buffer chosen = device.allocate(3);
        List<Sampling> samplings = List.of(Sampling.of(1, 5), Sampling.GREEDY, new Sampling(0.8, 40, 0.9, 3));
        for (int row = 0; row < 3; row++) {
            device.choose(buffer, row, count, samplings.get(row), 4 + row, chosen);
        }
        float[] ids = read(chosen, 3);
        for (int row = 0; row < 3; row++) {
            float[] own = Arrays.copyOfRange(logits, row * count, (row + 1) * count);
            assertThat((int) ids[row]).isEqualTo(new Sampler().choose(own, count, samplings.get(row), 4 + row));
        }
    }

    @Test
    void aChosenTokenIsEmbeddedWhereItLies() {
        var table = device.prepare(new RandomWeights(3).weight(RandomWeights.Kind.ANY4, 40, 128, 64));
        Buffer logits = device.allocate(40);
        float[] values = new float[40];
        values[33] = 2;
        device.write(values, logits, 0);
        Buffer chosen = device.allocate(1);
        Buffer expected = device.allocate(128);
        Buffer actual = device.allocate(128);
        device.choose(logits, 0, 40, Sampling.GREEDY, 0, chosen);
        device.embed(table, chosen, actual);
        device.embed(table, new int[] {33}, expected);
        assertThat(read(actual, 128)).isEqualTo(read(expected, 128));
        device.write(new float[] {Float.NaN}, chosen, 0);
        device.embed(table, chosen, actual);
        device.embed(table, new int[] {0}, expected);
        assertThat(read(actual, 128)).as("no access out of bounds").isEqualTo(read(expected, 128));
    }

    private float[] logits(int count) {
        float[] logits = new float[count];
        for (int i = 0; i < count; i++) {
            logits[i] = (float) (3 * random.nextGaussian());
        }
        return logits;
    }

    private static int choose(float[] logits, int count, Sampling sampling, int draw) {
        Buffer buffer = device.allocate(count);
        device.write(Arrays.copyOf(logits, count), buffer, 0);
        Buffer chosen = device.allocate(1);
        device.choose(buffer, 0, count, sampling, draw, chosen);
        float id = read(chosen, 1)[0];
        return Float.isNaN(id) ? Sampler.NONE : (int) id;
    }

    private static float[] read(Buffer buffer, int count) {
        float[] out = new float[count];
        device.read(buffer, 0, out, count);
        return out;
    }
}
