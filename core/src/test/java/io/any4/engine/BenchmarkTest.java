package io.any4.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class BenchmarkTest {
    private static final Path DEMO = Path.of("..", "models", "demo");

    @Test
    void theMedianIsBetweenTheSlowestAndTheFastest() {
        Speed speed = Speed.of(10, new double[] {4, 1, 2});
        assertThat(speed).isEqualTo(new Speed(10, 5, 2.5, 10));
        assertThat(Speed.of(6, new double[] {1, 3}).median()).isEqualTo(3);
    }

    @Test
    void aModelIsMeasuredAndEveryRepetitionReported() {
        try (Checkpoint checkpoint = Checkpoint.open(DEMO);
                CpuDevice device = CpuDevice.open(new CpuOptions(1, false))) {
            Benchmark benchmark = new Benchmark(Decoder.load(checkpoint, device));
            List<String> heard = new ArrayList<>();
            Benchmark.Result result = benchmark.run(16, 4, 2, (done, total) -> heard.add(done + "/" + total));
            assertThat(heard).containsExactly("1/3", "2/3", "3/3");
            assertThat(result.prompt().tokens()).isEqualTo(16);
            assertThat(result.generation().tokens()).isEqualTo(4);
            assertThat(result.prompt().least())
                    .isPositive()
                    .isLessThanOrEqualTo(result.prompt().greatest());
            assertThat(result.firstTokenSeconds()).isPositive();
            Speed together = benchmark.together(3, 4, 2, (done, total) -> heard.add(done + "/" + total));
            assertThat(together.tokens()).as("of all sequences").isEqualTo(12);
            assertThat(together.least()).isPositive();
            assertThat(heard).hasSize(6);
        }
    }

    @Test
    void whatCannotBeMeasuredIsRefused() {
        try (Checkpoint checkpoint = Checkpoint.open(DEMO);
                CpuDevice device = CpuDevice.open(new CpuOptions(1, false))) {
            Benchmark benchmark = new Benchmark(Decoder.load(checkpoint, device));
            assertThatIllegalArgumentException().isThrownBy(() -> benchmark.run(1, 0, 1, (done, total) -> {}));
            assertThatThrownBy(() -> benchmark.run(1 << 20, 1, 1, (done, total) -> {}))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("context");
        }
    }
}
