package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

class CommitsTest {
    @Test
    void whatPilesUpIsCommittedTogetherAndInOrder() throws InterruptedException {
        List<List<Integer>> batches = new ArrayList<>();
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch released = new CountDownLatch(1);
        try (Commits<Integer> commits = new Commits<>(batch -> {
            batches.add(batch);
            begun.countDown();
            awaitQuietly(released);
        })) {
            commits.add(1);
            begun.await();
            commits.add(2);
            commits.add(3);
            released.countDown();
            commits.finish();
        }
        assertThat(batches).containsExactly(List.of(1), List.of(2, 3));
    }

    @Test
    void aFailureSurfacesAndEndsIt() {
        List<Integer> committed = new ArrayList<>();
        try (Commits<Integer> commits = new Commits<>(batch -> {
            committed.addAll(batch);
            throw new IllegalStateException("full");
        })) {
            commits.add(1);
            assertThatThrownBy(() -> {
                        while (true) {
                            commits.add(2);
                        }
                    })
                    .hasMessage("full");
            assertThatThrownBy(commits::finish).hasMessage("full");
        }
        assertThat(committed).startsWith(1);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }
}
