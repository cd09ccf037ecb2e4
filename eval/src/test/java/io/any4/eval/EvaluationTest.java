package io.any4.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class EvaluationTest {
    private static final int VOCABULARY = 7;

    @Test
    void uniformPredictionsHaveThePerplexityOfTheVocabulary() {
        Windows windows = Windows.cut(ids(100, 1), 10, 512, 400);
        ModelScore score =
                run(windows, new Bigram(new float[VOCABULARY][VOCABULARY])).getFirst();
        assertThat(Math.exp(score.nats())).isCloseTo(VOCABULARY, within(1e-9));
    }

    @Test
    void perplexityIsTheMeanOfWindowMeansAndTheTailIsDropped() {
        Bigram model = Bigram.random(2);
        int[] ids = ids(33, 3);
        ModelScore score = run(Windows.cut(ids, 10, 512, 33), model).getFirst();

        double sum = 0;
        for (int w = 0; w < 3; w++) {
            for (int i = w * 10; i < w * 10 + 9; i++) {
                sum -= Math.log(model.probability(ids[i], ids[i + 1])) / 9;
            }
        }
        assertThat(score.nats()).isCloseTo(sum / 3, within(1e-9));
    }

    @Test
    void slicesDoNotChangeTheResult() {
        int[] ids = ids(3000, 4);
        int wide = 5000; // a vocabulary wide enough that a window takes several slices
        LogitSource model = Bigram.random(5, wide);
        double nats = run(Windows.cut(ids, 1500, 2048, 1), model).getFirst().nats();

        double expected = 0;
        for (int i = 0; i < 3000; i++) {
            expected -= i % 1500 == 1499 ? 0 : Math.log(((Bigram) model).probability(ids[i], ids[i + 1])) / 1499;
        }
        assertThat(nats).isCloseTo(expected / 2, within(1e-9));
    }

    @Test
    void divergenceIsTheMeanOverAllPositions() {
        Bigram original = Bigram.random(6);
        Bigram other = Bigram.random(7);
        int[] ids = ids(40, 8);
        Divergence divergence =
                run(Windows.cut(ids, 20, 512, 40), original, other).get(1).divergence();

        double sum = 0;
        int agreed = 0;
        for (int id : ids) {
            for (int next = 0; next < VOCABULARY; next++) {
                double p = original.probability(id, next);
                sum += p * Math.log(p / other.probability(id, next));
            }
            agreed += original.likeliest(id) == other.likeliest(id) ? 1 : 0;
        }
        assertThat(divergence.positions()).isEqualTo(40);
        assertThat(divergence.kl()).isCloseTo(sum / 40, within(1e-9));
        assertThat(divergence.top1Agreement()).isEqualTo(agreed / 40.0);
    }

    @Test
    void aModelDoesNotDivergeFromItself() {
        Bigram model = Bigram.random(9);
        Divergence divergence = run(Windows.cut(ids(50, 10), 25, 512, 50), model, Bigram.random(9))
                .get(1)
                .divergence();
        assertThat(divergence.kl()).isLessThan(1e-12);
        assertThat(divergence.top1Agreement()).isEqualTo(1);
    }

    @Test
    void progressCountsEveryModelRun() {
        List<String> seen = new ArrayList<>();
        Windows windows = Windows.cut(ids(40, 11), 20, 512, 40);
        new Evaluation(windows, (done, total, perplexity) -> seen.add(done + "/" + total))
                .run(List.of(Bigram.random(1), Bigram.random(2)));
        assertThat(seen).containsExactly("1/4", "2/4", "3/4", "4/4");
    }

    @Test
    void logitsThatAreNotNumbersAreRefused() {
        float[][] logits = new float[VOCABULARY][VOCABULARY];
        logits[3][2] = Float.NaN;
        assertThatThrownBy(() -> run(Windows.cut(ids(100, 12), 50, 512, 100), new Bigram(logits)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("not finite");
    }

    @Test
    void modelsOfDifferentVocabulariesAreRefused() {
        assertThatThrownBy(() -> run(Windows.cut(ids(40, 13), 20, 512, 40), Bigram.random(1), Bigram.random(2, 9)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("vocabularies of 7 and 9");
    }

    private static List<ModelScore> run(Windows windows, LogitSource... models) {
        return new Evaluation(windows, EvaluationListener.SILENT).run(List.of(models));
    }

    private static int[] ids(int count, long seed) {
        return new Random(seed).ints(count, 0, VOCABULARY).toArray();
    }

    /// A language model small enough to check by hand: the next token depends on the current one alone.
    private static final class Bigram implements LogitSource {
        private final float[][] logits;
        private int[] ids = {};

        Bigram(float[][] logits) {
            this.logits = logits;
        }

        static Bigram random(long seed) {
            return random(seed, VOCABULARY);
        }

        static Bigram random(long seed, int vocabulary) {
            Random random = new Random(seed);
            float[][] logits = new float[VOCABULARY][vocabulary];
            for (float[] row : logits) {
                for (int i = 0; i < vocabulary; i++) {
                    row[i] = (float) random.nextGaussian() * 3;
                }
            }
            return new Bigram(logits);
        }

        double probability(int id, int next) {
            double sum = 0;
            for (float logit : logits[id]) {
                sum += Math.exp(logit);
            }
            return Math.exp(logits[id][next]) / sum;
        }

        int likeliest(int id) {
            return Softmax.argmax(logits[id], 0, vocabulary());
        }

        @Override
        public int vocabulary() {
            return logits[0].length;
        }

        @Override
        public void forward(int[] window) {
            ids = window;
        }

        @Override
        public void logits(int from, int count, float[] out) {
            for (int i = 0; i < count; i++) {
                System.arraycopy(logits[ids[from + i]], 0, out, i * vocabulary(), vocabulary());
            }
        }
    }
}
