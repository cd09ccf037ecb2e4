package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class ItemTest {
    @Test
    void normalizedAccuracyDividesByCharactersNotByUnits() {
        // The second choice has two characters in four UTF-16 units: -5 / 2 beats -3, but -5 / 4 would not matter more.
        MultipleChoice item = new MultipleChoice("q", List.of("a", "🦊🦊"), 1);
        var scores = item.score(List.of(scored(-3), scored(-5)));
        assertThat(scores).containsEntry(Metric.ACCURACY, 0.0).containsEntry(Metric.NORMALIZED_ACCURACY, 1.0);
        var closer = item.score(List.of(scored(-3), scored(-7)));
        assertThat(closer).containsEntry(Metric.NORMALIZED_ACCURACY, 0.0);
    }

    @Test
    void theFirstOfEqualAnswersIsChosen() {
        MultipleChoice item = new MultipleChoice("q", List.of("aa", "bb"), 0);
        assertThat(item.score(List.of(scored(-4), scored(-4)))).containsEntry(Metric.ACCURACY, 1.0);
    }

    @Test
    void completionsAreRightIfGreedy() {
        Completion item = new Completion("the last", " word");
        assertThat(item.score(List.of(new Response.Scored(-1.5, true))))
                .containsEntry(Metric.ACCURACY, 1.0)
                .containsEntry(Metric.PERPLEXITY, -1.5);
        assertThat(item.example()).isEqualTo("the last  word\n\n");
    }

    @Test
    void fillInsAskForTheSameContinuation() {
        FillIn item = new FillIn(List.of("The cat", "The dog"), "ran.", 1);
        assertThat(item.requests("Before. "))
                .containsExactly(
                        new Request.Likelihood("Before. The cat", " ran."),
                        new Request.Likelihood("Before. The dog", " ran."));
        assertThat(item.example()).isEqualTo("The dog ran.\n\n");
    }

    private static Response scored(double logLikelihood) {
        return new Response.Scored(logLikelihood, false);
    }
}
