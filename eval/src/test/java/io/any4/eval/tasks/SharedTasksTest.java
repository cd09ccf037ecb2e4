package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Published documents, in the formats they are published in.
@Tag("shared")
class SharedTasksTest {
    private final DataFiles data = DataFiles.in(shared("eval/tasks"));

    @Test
    void everyRequestAndNumberAgreesWithTheHarness() {
        LmEvalRecording recording = LmEvalRecording.read("lm_eval_shared.json");
        Path directory = shared("models/babyllama-tok105");
        try (Checkpoint checkpoint = Checkpoint.open(directory);
                Device device = CpuDevice.open(CpuOptions.defaults());
                Tokenizer tokenizer = Tokenizer.load(directory)) {
            TaskModel model = TaskModel.of(directory, Decoder.load(checkpoint, device), tokenizer);
            TaskSuite suite = TaskSuite.read(recording.tasks(0), data, recording.options(0));
            TaskRun ours = suite.run(model, TaskListener.SILENT);
            recording.assertMatches(0, ours);
        }
    }

    /// OLMo's evaluation recorded the requests it made for ARC; its prompts are the harness's. It also asked for the
    /// choices without their question, with contexts that are just "Answer:".
    @Test
    void arcRequestsAreThoseThatOthersRecorded() {
        List<Request> theirs = JsonLines.values(shared("eval/tasks/arc_easy_rc_0shot/requests.jsonl.gz")).stream()
                .map(line -> line.part("request"))
                .filter(request -> !request.text("context").equals("Answer:"))
                .<Request>map(request -> new Request.Likelihood(request.text("context"), request.text("continuation")))
                .toList();
        assertThat(theirs).hasSize(2281);
        assertThat(TaskQuestions.of(Arc.EASY, data, TaskOptions.DEFAULT).all()).isEqualTo(theirs);
    }

    @Test
    void subjectsAreToldApart() {
        Benchmark mmlu = Benchmarks.named("mmlu");
        int documents = mmlu.tasks()
                .mapToInt(task -> data.documents(task.source()).size())
                .sum();
        assertThat(documents).isEqualTo(1500);
        Task algebra = (Task) Benchmarks.named("mmlu_abstract_algebra");
        assertThat(data.examples(algebra.source())).hasSize(5);
    }

    private static Path shared(String relative) {
        String root = System.getProperty("any4.shared");
        assertThat(root)
                .as("the folder of the reference data: run with -Pshared, or set -Dany4.shared=DIR")
                .isNotNull();
        Path path = Path.of(root).resolve(relative);
        assertThat(Files.exists(path)).as("%s exists", path).isTrue();
        return path;
    }
}
