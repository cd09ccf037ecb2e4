package io.any4.cli;

import io.any4.eval.tasks.BatchSize;
import io.any4.eval.tasks.Benchmarks;
import io.any4.eval.tasks.DataFiles;
import io.any4.eval.tasks.TaskModel;
import io.any4.eval.tasks.TaskOptions;
import io.any4.eval.tasks.TaskRun;
import io.any4.eval.tasks.TaskSuite;
import io.any4.text.Tokenizer;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.List;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that choose benchmarks and their data.
final class TaskSelection {
    /// For the help.
    static final class Names implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Benchmarks.names().iterator();
        }
    }

    @Option(
            names = "--tasks",
            paramLabel = "NAME",
            split = ",",
            completionCandidates = Names.class,
            description =
                    "Benchmarks, separated by commas: ${COMPLETION-CANDIDATES}; or parts of mmlu, such as mmlu_stem.")
    List<String> names = List.of();

    @Option(
            names = "--data",
            paramLabel = "DIR",
            description =
                    "Directory with the benchmarks' data as JSON Lines: piqa.jsonl, mmlu.test.jsonl, mmlu.dev.jsonl, ... "
                            + "Default: the Hugging Face cache.")
    @Nullable
    Path data;

    @Option(
            names = "--shots",
            paramLabel = "N",
            description = "Worked examples before each question. Default: none, but five for gsm8k.")
    @Nullable
    Integer shots;

    @Option(names = "--limit", paramLabel = "N", description = "Ask only the first N questions of each task.")
    @Nullable
    Integer limit;

    @Option(
            names = "--batch-size",
            paramLabel = "N",
            description =
                    "Requests to run at a time. Results do not depend on it; memory does. Default: up to 32, fewer if they are long.")
    @Nullable
    Integer batchSize;

    /// Reads the data.
    TaskSuite read(Terminal terminal) {
        DataFiles files = data == null ? DataFiles.inHuggingFaceCache(System.getenv()) : DataFiles.in(data);
        TaskSuite suite = TaskSuite.read(names, files, new TaskOptions(shots, limit));
        suite.notes().forEach(terminal::note);
        return suite;
    }

    /// Asks a model.
    TaskRun run(TaskSuite suite, LoadedModel model, Terminal terminal) {
        Path directory = model.checkpoint().directory();
        try (Tokenizer tokenizer = Tokenizer.load(directory);
                Progress progress = terminal.progress("asking", suite.requests(), Progress.Unit.of("requests"))) {
            TaskModel asked = TaskModel.of(directory, model.decoder(), tokenizer);
            return suite.run(asked, new BatchSize(batchSize), (task, done) -> {
                progress.note(task);
                progress.to(done);
            });
        }
    }
}
