package io.any4.tinygemm;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TeamTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3, 7})
    void everyIndexIsVisitedOnce(int threads) {
        try (Team team = new Team(threads)) {
            for (int count : new int[] {0, 1, 5, 64, 1000}) {
                for (int grain : new int[] {1, 3, 16, 4096}) {
                    AtomicIntegerArray visits = new AtomicIntegerArray(Math.max(1, count));
                    team.run(count, grain, (from, to) -> {
                        for (int i = from; i < to; i++) {
                            visits.incrementAndGet(i);
                        }
                    });
                    for (int i = 0; i < count; i++) {
                        assertThat(visits.get(i))
                                .as("count %d grain %d index %d", count, grain, i)
                                .isEqualTo(1);
                    }
                }
            }
        }
    }

    @Test
    void rangesAreContiguousMultiplesOfTheGrainAndAlwaysTheSame() {
        try (Team team = new Team(3)) {
            assertThat(ranges(team, 70, 16)).containsExactly("0-32", "32-64", "64-70");
            assertThat(ranges(team, 70, 16)).containsExactly("0-32", "32-64", "64-70");
        }
    }

    @Test
    void longRangesAreHalvedAndHalvedAgain() {
        try (Team team = new Team(2)) {
            assertThat(ranges(team, 16 * 80 - 1, 16))
                    .as("40 grains each: halves of 16 and more")
                    .containsExactlyInAnyOrder("0-320", "320-640", "640-960", "960-1279");
            assertThat(ranges(team, 2000, 1))
                    .as("not more than four times")
                    .hasSize(10)
                    .contains("0-500", "500-750", "750-875", "875-938", "938-1000", "1938-2000");
        }
    }

    private static List<String> ranges(Team team, int count, int grain) {
        List<String> ranges = Collections.synchronizedList(new ArrayList<>());
        team.run(count, grain, (from, to) -> ranges.add(from + "-" + to));
        Collections.sort(ranges);
        return ranges;
    }

    @Test
    void membersWorkAfterALongPause() throws InterruptedException {
        try (Team team = new Team(2)) {
            for (int round = 0; round < 3; round++) {
                assertThat(ranges(team, 4, 1)).hasSize(2);
                Thread.sleep(20); // long enough to park
            }
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 9})
    void whatABodyThrowsReachesTheCallerAndTheTeamGoesOn(int failing) {
        try (Team team = new Team(2)) {
            assertThatThrownBy(() -> team.run(10, 1, (from, to) -> {
                        if (from <= failing && failing < to) {
                            throw new ArithmeticException("index " + failing);
                        }
                    }))
                    .isInstanceOf(ArithmeticException.class)
                    .hasMessage("index " + failing);
            assertThat(ranges(team, 2, 1)).hasSize(2);
        }
    }

    @Test
    void aLoopInsideALoopRunsOnItsOwnThread() {
        try (Team team = new Team(2)) {
            AtomicIntegerArray visits = new AtomicIntegerArray(16);
            team.run(4, 1, (from, to) -> {
                for (int i = from; i < to; i++) {
                    int outer = i;
                    Thread caller = Thread.currentThread();
                    team.run(4, 1, (a, b) -> {
                        assertThat(Thread.currentThread()).isSameAs(caller);
                        for (int j = a; j < b; j++) {
                            visits.incrementAndGet(outer * 4 + j);
                        }
                    });
                }
            });
            for (int i = 0; i < 16; i++) {
                assertThat(visits.get(i)).isEqualTo(1);
            }
        }
    }

    @Test
    void severalFailuresAreThrownAsOneAndTheRestIsRun() {
        try (Team team = new Team(3)) {
            AtomicIntegerArray visits = new AtomicIntegerArray(3000);
            assertThatThrownBy(() -> team.run(3000, 1, (from, to) -> {
                        for (int i = from; i < to; i++) {
                            visits.incrementAndGet(i);
                        }
                        throw new ArithmeticException();
                    }))
                    .isInstanceOf(ArithmeticException.class);
            for (int i = 0; i < 3000; i++) {
                assertThat(visits.get(i)).as("index %d", i).isEqualTo(1);
            }
            team.run(3000, 1, (from, to) -> {}); // throws nothing any more
        }
    }

    /// Whoever runs the first block of a range stays in it until everything else is done.
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 2})
    void aMemberThatIsStuckHoldsBackOneBlockOnly(int range) {
        int count = 1200;
        int stuck = range * count / 3;
        try (Team team = new Team(3)) {
            for (int round = 0; round < 20; round++) {
                AtomicInteger left = new AtomicInteger(count);
                AtomicInteger length = new AtomicInteger();
                team.run(count, 1, (from, to) -> {
                    if (from == stuck) {
                        length.set(to - from);
                        long start = System.nanoTime();
                        while (left.get() > to - from) {
                            assertThat(System.nanoTime() - start)
                                    .as("other blocks wait for this member")
                                    .isLessThan(60_000_000_000L);
                            Thread.onSpinWait();
                        }
                    }
                    left.addAndGet(from - to);
                });
                assertThat(left.get()).isZero();
                assertThat(length.get()).isEqualTo(200);
            }
        }
    }

    /// Sums whose rounding shows every change of order, by members that are slowed down in many ways.
    @Test
    void whoRunsABlockDoesNotMatter() {
        int rows = 700;
        float[] expected = new float[rows];
        sums(expected, 0, rows);
        for (int threads : new int[] {1, 2, 3, 5}) {
            try (Team team = new Team(threads)) {
                for (int late = 0; late < 8; late++) {
                    float[] actual = new float[rows];
                    int which = late;
                    team.run(rows, 4, (from, to) -> {
                        if ((Thread.currentThread().hashCode() + from / 4 & 7) == which) {
                            LockSupport.parkNanos(1_000_000);
                        }
                        sums(actual, from, to);
                    });
                    assertThat(actual).isEqualTo(expected);
                }
            }
        }
    }

    private static void sums(float[] out, int from, int to) {
        for (int row = from; row < to; row++) {
            for (int i = 1; i <= 300; i++) {
                out[row] += 1f / (row + i);
            }
        }
    }

    /// Loops of all shapes one after the other, so that late members of one meet the next.
    @ParameterizedTest
    @ValueSource(ints = {2, 3, 8})
    void loopsFollowEachOtherClosely(int threads) {
        SplittableRandom random = new SplittableRandom(threads);
        int[] visits = new int[3000];
        int[] expected = new int[3000];
        try (Team team = new Team(threads)) {
            for (int round = 0; round < 3000; round++) {
                int count = random.nextInt(round % 10 == 0 ? 3000 : 40);
                int grain = 1 + random.nextInt(5);
                team.run(count, grain, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        visits[i]++;
                    }
                });
                for (int i = 0; i < count; i++) {
                    expected[i]++;
                }
            }
        }
        assertThat(visits).isEqualTo(expected);
    }

    @Test
    void callersTakeTurns() throws InterruptedException {
        try (Team team = new Team(2)) {
            int[] counts = new int[2];
            Runnable caller = () -> {
                for (int i = 0; i < 2000; i++) {
                    team.run(2, 1, (from, to) -> {
                        for (int j = from; j < to; j++) {
                            counts[j]++; // safe only because loops do not overlap
                        }
                    });
                }
            };
            Thread other = new Thread(caller);
            other.start();
            caller.run();
            other.join();
            assertThat(counts).containsExactly(4000, 4000);
        }
    }

    /// Also what a container does that has fewer processors than threads.
    @Test
    void moreThreadsThanProcessorsGetThrough() {
        int threads = 4 * Runtime.getRuntime().availableProcessors();
        try (Team team = new Team(threads)) {
            int[] counts = new int[threads];
            for (int round = 0; round < 3000; round++) {
                team.run(threads, 1, (from, to) -> {
                    for (int i = from; i < to; i++) {
                        counts[i]++;
                    }
                });
            }
            assertThat(counts).containsOnly(3000);
        }
    }

    @Test
    void anIdleTeamSleeps() throws InterruptedException {
        try (Team team = new Team(3)) {
            ranges(team, 3, 1);
            for (Thread member : team.members()) {
                while (member.getState() != Thread.State.WAITING) {
                    Thread.sleep(1); // a member that spins for ever never gets here
                }
            }
        }
    }

    @Test
    void aClosedTeamRefusesWork() {
        Team team = new Team(2);
        team.close();
        assertThatThrownBy(() -> ranges(team, 2, 1)).isInstanceOf(IllegalStateException.class);
    }
}
