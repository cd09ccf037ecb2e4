package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class BestScoresTest {
    @Test
    void sharesAreTheSoftmaxOverTheBest() {
        float[] scores = {9f, 0f, 2f, 1f, -5f, 3f, 3f, 3f, 3f, -1f, -2f, -9f, 4f};
        float[] pairs = new float[13];
        BestScores.choose(scores, 1, 4, 2, pairs, 1);
        BestScores.choose(scores, 5, 4, 2, pairs, 5);
        BestScores.choose(scores, 9, 4, 2, pairs, 9);
        float larger = (float) (1 / (1 + Math.exp(-1)));
        float least = (float) (1 / (1 + Math.exp(5)));
        float[] expected = {0, 1, larger, 2, 1 - larger, 0, 0.5f, 1, 0.5f, 0, least, 3, 1 - least};
        assertThat(pairs).containsExactly(expected, within(1e-6f));
    }
}
