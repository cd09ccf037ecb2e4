package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.QuantizationSpec;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizationJobTest {
    @TempDir
    Path directory;

    private final Team team = new Team(2);
    private Path model = Path.of("");

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyCheckpoint.write(directory.resolve("model"));
    }

    @AfterEach
    void endTeam() {
        team.close();
    }

    private QuantizationSettings settings(String spec) {
        return QuantizationSettings.of(QuantizationSpec.parse(spec));
    }

    private QuantizationResult run(String output, QuantizationSettings settings, Team threads, JobListener listener) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
            return QuantizationJob.run(plan, directory.resolve(output), StatisticsSource.NONE, threads, listener);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "any4,group-size=32",
                "any3,group-size=row",
                "any2,group-size=16,symmetric=true,metadata=f32",
                "any4,group-size=32,table=matrix,metadata=bf16",
                "int4,group-size=32",
                "int8,group-size=32",
                "int8,group-size=32,symmetric=true",
                "nf4,group-size=64",
                "fp4,group-size=row",
                "mx4,group-size=32"
            })
    void theOutputHoldsExactlyWhatTheQuantizerMade(String spec) throws IOException {
        run("out", settings(spec), team, JobListener.NONE);
        try (Checkpoint original = Checkpoint.open(model);
                Checkpoint quantized = Checkpoint.open(directory.resolve("out"))) {
            QuantizationPlan plan = QuantizationPlan.of(original, settings(spec), StatisticsSource.NONE);
            Any4Format format = Any4Format.of(quantized.config());
            for (Any4Config.Module module : plan.modules()) {
                Tensor weights = original.tensor(module.name() + ".weight");
                Weight expected = module.spec().quantizer().quantize(weights, null, team, RowListener.NONE);
                assertSame(format.read(quantized, module.name()), expected);
            }
            for (String name : plan.copies()) {
                assertThat(quantized.tensor(name).dtype())
                        .isEqualTo(original.tensor(name).dtype());
                assertThat(quantized
                                .tensor(name)
                                .data()
                                .mismatch(original.tensor(name).data()))
                        .isEqualTo(-1);
            }
        }
    }

    private static void assertSame(Weight actual, Weight expected) {
        assertThat(actual.rows()).isEqualTo(expected.rows());
        assertThat(actual.columns()).isEqualTo(expected.columns());
        float[] a = new float[expected.columns()];
        float[] b = new float[expected.columns()];
        for (int row = 0; row < expected.rows(); row++) {
            actual.dequantizeRow(row, a, 0);
            expected.dequantizeRow(row, b, 0);
            assertThat(a).isEqualTo(b);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"any4,group-size=32", "any3,group-size=16", "mx4,group-size=32"})
    void thePlanKnowsTheSizeToTheByte(String spec) throws IOException {
        List<QuantizationSettings> variants = List.of(
                settings(spec),
                settings(spec).withHead(true).withEmbeddings(true),
                settings(spec).withMaxShardBytes(4000),
                settings(spec).withSkip(List.of("*.w2")).withOverrides(List.of("*.w1=any2,group-size=8")));
        for (int i = 0; i < variants.size(); i++) {
            try (Checkpoint checkpoint = Checkpoint.open(model)) {
                QuantizationPlan plan = QuantizationPlan.of(checkpoint, variants.get(i), StatisticsSource.NONE);
                Path output = directory.resolve("out" + i);
                QuantizationJob.run(plan, output, StatisticsSource.NONE, team, JobListener.NONE);
                assertThat(Directories.bytes(output)).isEqualTo(plan.outputBytes());
                assertBitsPerWeight(plan, output);
            }
        }
    }

    private static void assertBitsPerWeight(QuantizationPlan plan, Path output) {
        try (Checkpoint quantized = Checkpoint.open(output)) {
            Any4Format format = Any4Format.of(quantized.config());
            long bytes = plan.modules().stream()
                    .mapToLong(module -> format.read(quantized, module.name()).bytes())
                    .sum();
            assertThat(plan.quantizedBitsPerWeight()).isEqualTo(8.0 * bytes / plan.quantizedWeights());
            for (String name : plan.copies()) {
                bytes += quantized.tensor(name).data().byteSize();
            }
            assertThat(plan.bitsPerWeight()).isEqualTo(8.0 * bytes / plan.weights());
        }
    }

    @Test
    void carriesOverTheOtherFiles() throws IOException {
        run("out", settings("any4"), team, JobListener.NONE);
        assertThat(Directories.names(directory.resolve("out")))
                .containsExactly("config.json", "generation_config.json", "model.safetensors", "tokenizer.json");
        assertThat(Directories.names(directory)).as("no trace of the work").containsExactly("model", "out");
    }

    @Test
    void notesTheTimeSinceTheWatchWasStarted() throws IOException {
        Stopwatch watch = Stopwatch.start();
        QuantizationResult result = run("out", settings("any4"), team, JobListener.NONE);
        QuantizationTime noted = Objects.requireNonNull(QuantizationTime.of(directory.resolve("out")));
        assertThat(noted.seconds())
                .isCloseTo(result.time().seconds(), within(0.001))
                .isPositive();
        assertThat(noted.cpuSeconds()).isCloseTo(result.time().cpuSeconds(), within(0.001));
        assertThat(noted.seconds()).isLessThan(watch.read().seconds() + 0.001);
        assertThat(QuantizationTime.of(directory.resolve("model"))).isNull();
        Files.writeString(directory.resolve("out").resolve(QuantizationTime.FILE), "{\"seconds\": \"long\"}");
        assertThatThrownBy(() -> QuantizationTime.of(directory.resolve("out")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("lacks the number seconds");
    }

    @Test
    void theNumberOfThreadsDoesNotChangeTheBytes() throws IOException {
        QuantizationSettings settings = settings("any4,group-size=32").withMaxShardBytes(6000);
        run("out", settings, team, JobListener.NONE);
        for (int threads : new int[] {1, 3}) {
            try (Team other = new Team(threads)) {
                run("out" + threads, settings, other, JobListener.NONE);
            }
            Directories.assertSame(directory.resolve("out" + threads), directory.resolve("out"));
        }
    }

    @Test
    void progressAddsUp() {
        List<JobProgress> seen = new ArrayList<>();
        QuantizationResult result = run("out", settings("int4"), team, seen::add);
        JobProgress last = seen.getLast();
        assertThat(seen).extracting(JobProgress::index).isSorted();
        assertThat(seen).extracting(JobProgress::fraction).isSorted();
        assertThat(last.index()).isEqualTo(last.count()).isEqualTo(29);
        assertThat(last.fraction()).isEqualTo(1);
        assertThat(last.secondsLeft()).isZero();
        assertThat(last.rowsDone()).isEqualTo(last.rows());
        assertThat(last.rowsPerSecond()).isPositive();
        assertThat(last.relativeError())
                .isEqualTo(result.total().relativeError())
                .isBetween(1e-4, 0.05);
        assertThat(result.errors()).hasSize(20);
    }

    @Test
    void anExistingOutputIsLeftAlone() throws IOException {
        Files.createDirectory(directory.resolve("out"));
        assertThatThrownBy(() -> run("out", settings("any4"), team, JobListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("%s exists already: delete it or choose another output directory"
                        .formatted(directory.resolve("out")));
        assertThat(Directories.names(directory)).containsExactly("model", "out");
        assertThat(Directories.names(directory.resolve("out"))).isEmpty();
    }
}
