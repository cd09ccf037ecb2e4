package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import org.junit.jupiter.api.Test;

class RoutingTest {
    @Test
    void sendsEachTokenToItsBestExpertsWithSharesThatSumToOne() {
        float[] scores = {
            0f, 2f, 1f, -5f, // experts 1 and 2
            3f, 3f, 3f, 3f, // a tie: experts 0 and 1
            -1f, -2f, -9f, 4f, // experts 3 and 0
        };
        Routing routing = Routing.of(scores, 4, 2);
        assertThat(routing.tokens(0)).containsExactly(1, 2);
        assertThat(routing.tokens(1)).containsExactly(0, 1);
        assertThat(routing.tokens(2)).containsExactly(0);
        assertThat(routing.tokens(3)).containsExactly(2);
        float first = (float) (1 / (1 + Math.exp(-1)));
        assertThat(routing.shares(1)).containsExactly(new float[] {first, 0.5f}, within(1e-6f));
        assertThat(routing.shares(2)).containsExactly(new float[] {1 - first}, within(1e-6f));
        assertThat(routing.shares(0)[1] + routing.shares(3)[0]).isCloseTo(1f, within(1e-6f));
    }
}
