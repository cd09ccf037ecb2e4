package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.InvalidInputException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SamplerTest {
    private static final float[] LOGITS = {1f, 3f, 2f, -4f, 3f, 0f};

    @Test
    void temperatureZeroTakesTheFirstOfTheLargest() {
        assertThat(new Sampler().choose(LOGITS, LOGITS.length, Sampling.GREEDY, 0))
                .isEqualTo(1);
    }

    /// Frequencies of many draws against the distribution that the settings describe, computed by sorting.
    @ParameterizedTest
    @CsvSource({"1, 0, 1", "0.7, 0, 1", "1, 2, 1", "1.5, 3, 1", "1, 0, 0.6", "1, 0, 0.9", "2, 4, 0.8", "1, 9, 0.0001"})
    void drawsFromTheDistribution(double temperature, int topK, double topP) {
        double[] expected = distribution(LOGITS, temperature, topK, topP);
        Sampler sampler = new Sampler();
        Sampling sampling = new Sampling(temperature, topK, topP, 42);
        int draws = 20_000;
        int[] counts = new int[LOGITS.length];
        for (int i = 0; i < draws; i++) {
            counts[sampler.choose(LOGITS, LOGITS.length, sampling, i)]++;
        }
        for (int i = 0; i < LOGITS.length; i++) {
            assertThat(counts[i] / (double) draws).as("token %d", i).isCloseTo(expected[i], within(0.015));
            assertThat(counts[i] > 0).as("token %d is drawn", i).isEqualTo(expected[i] > 1e-4);
        }
    }

    private static double[] distribution(float[] logits, double temperature, int topK, double topP) {
        int[] order = IntStream.range(0, logits.length)
                .boxed()
                .sorted((a, b) -> Float.compare(logits[b], logits[a]))
                .mapToInt(i -> i)
                .toArray();
        int limit = topK == 0 ? logits.length : Math.min(topK, logits.length);
        double[] p = new double[logits.length];
        double total = 0;
        for (int i = 0; i < limit; i++) {
            p[order[i]] = Math.exp(logits[order[i]] / temperature);
            total += p[order[i]];
        }
        double mass = 0;
        for (int i = 0; i < limit; i++) {
            if (mass >= topP * total) {
                p[order[i]] = 0;
            }
            mass += p[order[i]];
        }
        double kept = Arrays.stream(p).sum();
        return Arrays.stream(p).map(x -> x / kept).toArray();
    }

    @Test
    void theSeedDecides() {
        float[] logits = new float[1000];
        Random random = new Random(1);
        for (int i = 0; i < logits.length; i++) {
            logits[i] = (float) random.nextGaussian();
        }
        int[] first = draws(logits, 7);
        assertThat(draws(logits, 7)).isEqualTo(first);
        assertThat(draws(logits, 8)).isNotEqualTo(first);
    }

    private static int[] draws(float[] logits, long seed) {
        Sampler sampler = new Sampler();
        Sampling sampling = new Sampling(1, 50, 0.95, seed);
        return IntStream.range(0, 50)
                .map(i -> sampler.choose(logits, logits.length, sampling, i))
                .toArray();
    }

    @Test
    void drawsAreThoseOfSplittableRandom() {
        Sampling sampling = Sampling.of(1, -77);
        SplittableRandom random = new SplittableRandom(-77);
        for (int draw = 0; draw < 5; draw++) {
            assertThat(sampling.random(draw)).isEqualTo(random.nextDouble());
        }
    }

    @Test
    void nothingIsChosenFromWhatIsNotANumber() {
        Sampler sampler = new Sampler();
        for (Sampling sampling : List.of(Sampling.GREEDY, Sampling.of(1, 0))) {
            assertThat(sampler.choose(new float[] {1, Float.NaN, 2}, 3, sampling, 0))
                    .isEqualTo(Sampler.NONE);
            assertThat(sampler.choose(new float[] {1, 0, Float.NaN}, 2, Sampling.GREEDY, 0))
                    .as("what lies behind the vocabulary does not count")
                    .isZero();
        }
    }

    @Test
    void ranksLikeSorting() {
        double[] values = new Random(3).ints(500, 0, 60).mapToDouble(i -> i).toArray();
        Ranking ranking = new Ranking();
        ranking.of(values);
        int[] expected = IntStream.range(0, values.length)
                .boxed()
                .sorted((a, b) -> Double.compare(values[b], values[a]))
                .mapToInt(i -> i)
                .toArray();
        int[] actual = IntStream.range(0, values.length).map(ranking::at).toArray();
        assertThat(actual).isEqualTo(expected);
    }

    @Test
    void refusesNonsense() {
        assertThatThrownBy(() -> new Sampling(-1, 0, 1, 0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> new Sampling(Double.NaN, 0, 1, 0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> new Sampling(1, -1, 1, 0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> new Sampling(1, 0, 0, 0)).isInstanceOf(InvalidInputException.class);
    }
}
