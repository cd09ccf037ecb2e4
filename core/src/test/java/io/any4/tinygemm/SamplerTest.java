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
import org.junit.jupiter.params.provider.EnumSource;

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

    /// Every choice against plain sorting and summing in double. Rounding may move a draw over the edge of a
    /// token, but not further, and seldom.
    @ParameterizedTest
    @EnumSource
    void choosesLikeSorting(Logits kind) {
        List<Sampler> samplers = List.of(new Sampler(), new Sampler(new VectorKernels(Activations.F32)));
        int choices = 0;
        int others = 0;
        for (int count : new int[] {1, 2, 127, 128, 129, 3000}) {
            float[] logits = kind.make(count, new SplittableRandom(count));
            for (double temperature : new double[] {1e-30, 0.3, 1, 1.7}) {
                for (int topK : new int[] {0, 1, 3, 40, 2000, 9999}) {
                    for (double topP : new double[] {1, 0.9, 0.5, 0.0001, 1 - 1e-9}) {
                        Sampling sampling = new Sampling(temperature, topK, topP, 3);
                        SortingSampler oracle = new SortingSampler(logits, sampling);
                        for (Sampler sampler : samplers) {
                            int chosen = sampler.choose(logits, count, sampling, choices);
                            oracle.assertMayChoose(chosen, choices);
                            others += chosen == oracle.choose(choices) ? 0 : 1;
                            choices++;
                        }
                    }
                }
            }
        }
        assertThat(others).isLessThan(choices / 200);
    }

    /// Kinds of logits.
    private enum Logits {
        NORMAL,
        EVEN,
        TIES,
        EQUAL,
        MASKED,
        DOMINATED;

        float[] make(int count, SplittableRandom random) {
            float[] logits = new float[count];
            for (int i = 0; i < count; i++) {
                logits[i] = switch (this) {
                    case NORMAL -> (float) (5 + 3 * random.nextGaussian());
                    case EVEN -> random.nextFloat() - 0.5f;
                    case TIES -> new float[] {-1, -0f, 0f, 1, 1}[random.nextInt(5)];
                    case EQUAL -> -7;
                    case MASKED -> i % 3 == 0 ? (float) random.nextGaussian() : Float.NEGATIVE_INFINITY;
                    case DOMINATED -> (float) random.nextGaussian() + (i == count / 2 ? 60 : 0);
                };
            }
            return logits;
        }
    }

    /// What [Sampling] says, done plainly.
    private static final class SortingSampler {
        private static final double ROUNDING = 1e-5;

        private final Sampling sampling;
        private final int[] order;
        private final double[] weights;
        private final double mass;
        private int kept;

        SortingSampler(float[] logits, Sampling sampling) {
            this.sampling = sampling;
            boolean all = sampling.topK() == 0 && sampling.topP() == 1;
            order = IntStream.range(0, logits.length)
                    .boxed()
                    .sorted((a, b) -> all ? 0 : Float.compare(logits[b] + 0f, logits[a] + 0f))
                    .mapToInt(i -> i)
                    .toArray();
            double largest = logits[new Sampler().choose(logits, logits.length, Sampling.GREEDY, 0)];
            weights = Arrays.stream(order)
                    .mapToDouble(i -> Math.exp((logits[i] - largest) / sampling.temperature()))
                    .toArray();
            int limit = sampling.topK() == 0 ? order.length : Math.min(sampling.topK(), order.length);
            double total = Arrays.stream(weights).limit(limit).sum();
            double sum = 0;
            while (kept < limit && (kept == 0 || sum < sampling.topP() * total)) {
                sum += weights[kept++];
            }
            mass = sum;
        }

        int choose(int draw) {
            double left = sampling.random(draw) * mass;
            int rank = 0;
            while (rank < kept - 1 && (left -= weights[rank]) >= 0) {
                rank++;
            }
            return order[rank];
        }

        void assertMayChoose(int chosen, int draw) {
            int rank = 0;
            double before = 0;
            while (order[rank] != chosen) {
                before += weights[rank++];
            }
            double wanted = sampling.random(draw) * mass;
            assertThat(weights[rank]).as("%s, draw %d", sampling, draw).isPositive();
            assertThat(wanted)
                    .as("%s, draw %d", sampling, draw)
                    .isBetween(before - ROUNDING * mass, before + weights[rank] + ROUNDING * mass);
        }
    }

    @Test
    void infiniteLogitsAreChosenAlwaysOrNever() {
        float[] logits = {1, Float.NEGATIVE_INFINITY, Float.POSITIVE_INFINITY, 3};
        float[] none = {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY};
        for (Sampling sampling : List.of(Sampling.GREEDY, Sampling.of(1, 0), new Sampling(1, 2, 0.5, 0))) {
            assertThat(new Sampler().choose(logits, 4, sampling, 0)).isEqualTo(2);
            assertThat(new Sampler().choose(none, 2, sampling, 0)).isZero();
        }
    }

    @Test
    void rowsAreChosenFromWhereTheyLie() {
        float[] logits = Logits.NORMAL.make(3 * 500, new SplittableRandom(4));
        for (Sampling sampling :
                List.of(Sampling.GREEDY, Sampling.of(1, 0), new Sampling(1, 40, 1, 0), new Sampling(1, 0, 0.9, 0))) {
            float[] row = Arrays.copyOfRange(logits, 500, 1000);
            assertThat(new Sampler().choose(logits, 500, 500, sampling, 1))
                    .isEqualTo(new Sampler().choose(row, 500, sampling, 1));
        }
    }

    @Test
    void selectsLikeSorting() {
        SplittableRandom random = new SplittableRandom(3);
        for (int round = 0; round < 200; round++) {
            int count = 1 + random.nextInt(300);
            float[] logits = Logits.values()[round % 4].make(count, random);
            Candidates candidates = new Candidates();
            for (int i = 0; i < count; i++) {
                candidates.add(i, logits[i], 1);
            }
            int[] order = IntStream.range(0, count)
                    .boxed()
                    .sorted((a, b) -> Float.compare(logits[b] + 0f, logits[a] + 0f))
                    .mapToInt(i -> i)
                    .toArray();
            int rank = random.nextInt(count);
            assertThat(candidates.find(rank)).isEqualTo(order[rank]);
            assertThat(candidates.find(count)).as("past the last").isEqualTo(order[count - 1]);
            candidates.keepTo(order[rank]);
            assertThat(IntStream.range(0, candidates.count()).map(candidates::id))
                    .containsExactly(Arrays.stream(order)
                            .limit(rank + 1)
                            .sorted()
                            .boxed()
                            .toArray(Integer[]::new));
        }
    }

    @Test
    void refusesNonsense() {
        assertThatThrownBy(() -> new Sampling(-1, 0, 1, 0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> new Sampling(Double.NaN, 0, 1, 0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> new Sampling(1, -1, 1, 0)).isInstanceOf(InvalidInputException.class);
        assertThatThrownBy(() -> new Sampling(1, 0, 0, 0)).isInstanceOf(InvalidInputException.class);
    }
}
