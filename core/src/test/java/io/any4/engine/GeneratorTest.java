package io.any4.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampler;
import io.any4.tinygemm.Sampling;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// Generation and scoring on the bundled demo model.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class GeneratorTest {
    private static final Path DEMO = Path.of("..", "models", "demo");

    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);
    private final Checkpoint checkpoint = Checkpoint.open(DEMO);
    private final Decoder decoder = Decoder.load(checkpoint, device);
    private int[] prompt = new int[0];

    @BeforeAll
    void encode() {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            prompt = tokenizer.encode("Once upon a time", true);
        }
    }

    @AfterAll
    void close() {
        checkpoint.close();
        device.close();
        team.close();
    }

    private Generation generate(int maxTokens, Sampling sampling, Set<Integer> stops, TokenListener listener) {
        return new Generator(decoder).generate(prompt, new GenerationOptions(maxTokens, sampling, stops), listener);
    }

    @Test
    void greedyGenerationTakesTheLikeliestTokenEachTime() {
        List<Integer> heard = new ArrayList<>();
        Generation generation = generate(12, Sampling.GREEDY, Set.of(), heard::add);
        assertThat(generation.reason()).isEqualTo(StopReason.MAX_TOKENS);
        assertThat(generation.promptTokens()).isEqualTo(prompt.length);
        assertThat(heard)
                .containsExactlyElementsOf(
                        Arrays.stream(generation.ids()).boxed().toList());
        int[] all = Arrays.copyOf(prompt, prompt.length + 12);
        System.arraycopy(generation.ids(), 0, all, prompt.length, 12);
        float[] logits = new float[decoder.config().vocabSize()];
        var hidden = decoder.forward(all, decoder.newCache(all.length));
        for (int i = 0; i < 12; i++) {
            decoder.logits(hidden, prompt.length - 1 + i, 1, logits);
            assertThat(generation.ids()[i]).isEqualTo(likeliest(logits));
        }
        assertThat(generation.secondsToFirstToken()).isPositive().isLessThan(generation.seconds());
        assertThat(generation.decodeSpeed()).isPositive();
        assertThat(generation.prefillSpeed()).isPositive();
    }

    @Test
    void stopsAtStopIdsWithoutReportingThem() {
        int[] free = generate(8, Sampling.GREEDY, Set.of(), TokenListener.NONE).ids();
        int stop = free[5];
        List<Integer> heard = new ArrayList<>();
        Generation generation = generate(8, Sampling.GREEDY, Set.of(stop), heard::add);
        assertThat(generation.reason()).isEqualTo(StopReason.END_OF_SEQUENCE);
        assertThat(generation.ids()).doesNotContain(stop);
        assertThat(heard).hasSameSizeAs(generation.ids());
    }

    @Test
    void stopsWhenTheListenerHasEnough() {
        Generation generation = generate(8, Sampling.GREEDY, Set.of(), id -> false);
        assertThat(generation.reason()).isEqualTo(StopReason.LISTENER);
        assertThat(generation.ids()).hasSize(1);
        assertThat(generation.decodeSpeed()).isZero();
    }

    @Test
    void stopsWhenTheContextIsFull() {
        int context = decoder.config().contextLength();
        int[] full = new int[context];
        Generation one = new Generator(decoder)
                .generate(full, new GenerationOptions(5, Sampling.GREEDY, Set.of()), TokenListener.NONE);
        assertThat(one.ids()).hasSize(1);
        assertThat(one.reason()).isEqualTo(StopReason.CONTEXT_FULL);
        assertThatThrownBy(() -> new Generator(decoder)
                        .generate(
                                new int[context + 1],
                                new GenerationOptions(5, Sampling.GREEDY, Set.of()),
                                TokenListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("context of 512");
    }

    @Test
    void theSeedDecides() {
        int[] first =
                generate(10, Sampling.of(0.8, 1), Set.of(), TokenListener.NONE).ids();
        assertThat(generate(10, Sampling.of(0.8, 1), Set.of(), TokenListener.NONE)
                        .ids())
                .isEqualTo(first);
        assertThat(generate(10, Sampling.of(0.8, 2), Set.of(), TokenListener.NONE)
                        .ids())
                .isNotEqualTo(first);
    }

    private static int likeliest(float[] logits) {
        return new Sampler().choose(logits, logits.length, Sampling.GREEDY, 0);
    }

    @Test
    void scoresSumToOneOverTheVocabularyAndPreferWhatGreedyChose() {
        int[] ids = Arrays.copyOf(prompt, prompt.length + 1);
        double sum = 0;
        double best = Double.NEGATIVE_INFINITY;
        int likeliest = -1;
        float[] logits = new float[decoder.config().vocabSize()];
        decoder.logits(decoder.forward(prompt, decoder.newCache(64)), prompt.length - 1, 1, logits);
        double largest = logits[likeliest(logits)];
        for (float logit : logits) {
            sum += Math.exp(logit - largest);
        }
        for (int candidate : new int[] {0, 17, 300, likeliest(logits)}) {
            ids[prompt.length] = candidate;
            double[] scores = new Scorer(decoder).logProbabilities(ids);
            assertThat(scores).hasSize(prompt.length);
            double score = scores[prompt.length - 1];
            assertThat(score).isCloseTo(logits[candidate] - largest - Math.log(sum), within(1e-5));
            if (score > best) {
                best = score;
                likeliest = candidate;
            }
        }
        assertThat(likeliest).isEqualTo(likeliest(logits));
    }

    @Test
    void readsTheDefaultsOfTheModel() {
        GenerationDefaults defaults = GenerationDefaults.read(DEMO, decoder.config());
        assertThat(defaults.stopIds()).containsExactly(1);
        assertThat(defaults.sampling(3)).isEqualTo(new Sampling(1, 0, 1, 3));
    }
}
