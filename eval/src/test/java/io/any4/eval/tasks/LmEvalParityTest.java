package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import java.net.URISyntaxException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Every task on the bundled model and documents of our own, against what lm-evaluation-harness recorded.
class LmEvalParityTest {
    private static final Path MODEL = Path.of("..", "models", "demo");
    private static final LmEvalRecording RECORDING = LmEvalRecording.read("lm_eval.json");

    @ParameterizedTest(name = "run {0}")
    @ValueSource(ints = {0, 1})
    void everyRequestAndNumberAgrees(int run) throws URISyntaxException {
        DataFiles data = DataFiles.in(
                Path.of(Objects.requireNonNull(getClass().getResource("data")).toURI()));
        try (Checkpoint checkpoint = Checkpoint.open(MODEL);
                Device device = CpuDevice.open(CpuOptions.defaults());
                Tokenizer tokenizer = Tokenizer.load(MODEL)) {
            TaskModel model = TaskModel.of(MODEL, Decoder.load(checkpoint, device), tokenizer);
            TaskSuite suite = TaskSuite.read(RECORDING.tasks(run), data, RECORDING.options(run));
            assertThat(suite.notes()).containsExactly("mmlu: the data has 3 of 57 subjects");
            List<Integer> progress = new ArrayList<>();
            TaskRun ours = suite.run(model, (task, done) -> progress.add(done));
            assertThat(progress).isSorted().last().isEqualTo(suite.requests());
            RECORDING.assertMatches(run, ours);
        }
    }
}
