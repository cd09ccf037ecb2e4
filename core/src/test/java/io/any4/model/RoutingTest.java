package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RoutingTest {
    @Test
    void sortsTokensByTheirExperts() {
        float[] pairs = {1, 0.7f, 2, 0.3f, 0, 0.5f, 1, 0.5f, 0, 0.1f, 3, 0.9f};
        Routing routing = Routing.of(pairs, 5, 2);
        assertThat(routing.tokens(0)).containsExactly(1, 2);
        assertThat(routing.shares(0)).containsExactly(0.5f, 0.1f);
        assertThat(routing.tokens(1)).containsExactly(0, 1);
        assertThat(routing.shares(1)).containsExactly(0.7f, 0.5f);
        assertThat(routing.tokens(2)).containsExactly(0);
        assertThat(routing.tokens(3)).containsExactly(2);
        assertThat(routing.tokens(4)).isEmpty();
    }
}
