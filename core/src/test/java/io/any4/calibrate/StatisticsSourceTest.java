package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.JsonFiles;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.ChannelStatistics;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.node.ObjectNode;

class StatisticsSourceTest {
    private static final QuantizationSettings SETTINGS = QuantizationSettings.of(
                    QuantizationSpec.parse("any4,group-size=32"))
            .withHead(true);

    @TempDir
    Path directory;

    /// Writes down what it is asked and shown, and finds the first channel of every layer important.
    private static final class Recorder implements StatisticsSource {
        private final Checkpoint model;
        private final List<String> calls = new ArrayList<>();
        private final Map<String, float[]> firstRows = new LinkedHashMap<>();

        Recorder(Checkpoint model) {
            this.model = model;
        }

        @Override
        public ChannelStatistics statistics(String module) {
            calls.add(module);
            Tensor weight = model.tensor(module + ".weight");
            double[] ones = new double[(int) weight.columns()];
            Arrays.fill(ones, 1);
            ones[0] = 1e6;
            return new ChannelStatistics(ones, ones, ones, 10);
        }

        @Override
        public ObjectNode provenance() {
            return JsonFiles.object().put("dataset", "recorded");
        }

        @Override
        public boolean sequential() {
            return true;
        }

        @Override
        public void quantized(int block, Map<String, Weight> weights) {
            calls.add("block " + block);
            weights.forEach((module, weight) -> {
                float[] row = new float[weight.columns()];
                weight.dequantizeRow(0, row, 0);
                firstRows.put(module, row);
            });
        }
    }

    @Test
    void blocksAreAskedForAndShownInOrder() throws IOException {
        Path model = TinyCheckpoint.write(directory.resolve("model"));
        Path output = directory.resolve("out");
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Team team = new Team(2)) {
            Recorder recorder = new Recorder(checkpoint);
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, SETTINGS, recorder);
            QuantizationJob.run(plan, output, recorder, team, JobListener.NONE);

            List<String> expected = new ArrayList<>();
            for (int block = 0; block < 2; block++) {
                String part = "layers." + block + ".";
                plan.modules().stream()
                        .map(Any4Config.Module::name)
                        .filter(name -> name.contains(part))
                        .forEach(expected::add);
                expected.add("block " + block);
            }
            expected.add("lm_head");
            assertThat(recorder.calls).isEqualTo(expected);
            assertShownWhatWasWritten(recorder, output);
        }
    }

    private static void assertShownWhatWasWritten(Recorder recorder, Path output) {
        try (Checkpoint quantized = Checkpoint.open(output)) {
            assertThat(quantized
                            .config()
                            .path("quantization_config")
                            .path("calibration")
                            .path("dataset")
                            .stringValue())
                    .isEqualTo("recorded");
            assertThat(recorder.firstRows).hasSize(20);
            recorder.firstRows.forEach((module, shown) -> {
                float[] written = new float[shown.length];
                Any4Format.read(quantized, module, quantized.config()).dequantizeRow(0, written, 0);
                assertThat(shown).isEqualTo(written);
            });
        }
    }

    @Test
    void blocksThatAreSkippedAreShownToo() throws IOException {
        Path model = TinyCheckpoint.write(directory.resolve("model"));
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Team team = new Team(1)) {
            Recorder recorder = new Recorder(checkpoint);
            QuantizationSettings settings = SETTINGS.withSkip(List.of("*.layers.0.*"));
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, recorder);
            QuantizationJob.run(plan, directory.resolve("out"), recorder, team, JobListener.NONE);
            assertThat(recorder.calls)
                    .hasSize(1 + 10 + 1 + 1)
                    .startsWith("block 0")
                    .endsWith("block 1", "lm_head");
        }
    }

    @Test
    void statisticsMatter() throws IOException {
        Path model = TinyCheckpoint.write(directory.resolve("model"));
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Team team = new Team(1)) {
            Recorder recorder = new Recorder(checkpoint);
            QuantizationJob.run(
                    QuantizationPlan.of(checkpoint, SETTINGS, recorder),
                    directory.resolve("with"),
                    recorder,
                    team,
                    JobListener.NONE);
            QuantizationJob.run(
                    QuantizationPlan.of(checkpoint, SETTINGS, StatisticsSource.NONE),
                    directory.resolve("without"),
                    StatisticsSource.NONE,
                    team,
                    JobListener.NONE);
            String module = "model.layers.0.self_attn.q_proj";
            assertThat(errorInFirstColumn(checkpoint, "with", module))
                    .isLessThan(0.5 * errorInFirstColumn(checkpoint, "without", module));
        }
    }

    private double errorInFirstColumn(Checkpoint original, String output, String module) {
        try (Checkpoint quantized = Checkpoint.open(directory.resolve(output))) {
            Weight weight = Any4Format.read(quantized, module, quantized.config());
            Tensor exact = original.tensor(module + ".weight");
            float[] row = new float[weight.columns()];
            double error = 0;
            for (int i = 0; i < weight.rows(); i++) {
                weight.dequantizeRow(i, row, 0);
                error += Math.pow(row[0] - exact.getFloat(i * exact.columns()), 2);
            }
            return error;
        }
    }

    @Test
    void aContinuedRunShowsFinishedBlocksButDoesNotAskForThem() throws IOException {
        Path model = TinyCheckpoint.write(directory.resolve("model"));
        Path output = directory.resolve("out");
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Team team = new Team(2)) {
            Recorder first = new Recorder(checkpoint);
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, SETTINGS, first);
            assertThatThrownBy(() -> QuantizationJob.run(plan, output, first, team, progress -> {
                        if (progress.tensor().equals("lm_head") && progress.fraction() > 0) {
                            throw new IllegalStateException("killed");
                        }
                    }))
                    .hasMessage("killed");
            Recorder second = new Recorder(checkpoint);
            QuantizationJob.run(plan, output, second, team, JobListener.NONE);
            assertThat(second.calls).containsExactly("block 0", "block 1", "lm_head");
            assertShownWhatWasWritten(second, output);
        }
    }
}
