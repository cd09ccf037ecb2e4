package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/// Expected values are what CPython 3.11 prints.
class PythonRandomTest {
    @Test
    void samplesLikePython() {
        PythonRandom random = new PythonRandom(1234);
        assertThat(random.sample(range(10), 3)).as("from a pool").containsExactly(7, 1, 0);
        assertThat(random.sample(range(1000), 6)).as("by rejection").containsExactly(92, 932, 965, 961, 826, 596);
        assertThat(random.sample(range(30), 4)).as("by rejection").containsExactly(1, 21, 22, 2);
    }

    @Test
    void choosesLikePython() {
        PythonRandom random = new PythonRandom(0);
        assertThat(IntStream.range(0, 8).map(i -> random.choice(100))).containsExactly(84, 75, 42, 25, 51, 40, 78, 30);
        assertThat(random.nextDouble()).isEqualTo(0.4765969541523558);
    }

    private static List<Integer> range(int n) {
        return IntStream.range(0, n).boxed().toList();
    }
}
