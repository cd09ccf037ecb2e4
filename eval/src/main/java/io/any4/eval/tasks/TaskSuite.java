package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Benchmarks with their documents read and their prompts written, ready to be put to any number of models.
///
/// Prompts, tokenization, metrics and standard errors are those of lm-evaluation-harness 0.4.13. Requests that begin
/// alike share the computation of what they have in common; others are run side by side. Neither changes a result.
public final class TaskSuite {
    private final List<Benchmark> benchmarks;
    private final SequencedMap<Task, TaskQuestions> questions;
    private final List<String> notes;
    private final TaskOptions options;

    private TaskSuite(
            List<Benchmark> benchmarks,
            SequencedMap<Task, TaskQuestions> questions,
            List<String> notes,
            TaskOptions options) {
        this.benchmarks = benchmarks;
        this.questions = questions;
        this.notes = notes;
        this.options = options;
    }

    /// Reads the documents of benchmarks.
    ///
    /// @param names from [Benchmarks#names], or of parts such as `mmlu_stem` and `mmlu_anatomy`
    /// @throws InvalidInputException if a benchmark does not exist or its data cannot be used
    public static TaskSuite read(List<String> names, DataFiles data, TaskOptions options) {
        List<Benchmark> benchmarks = names.stream().map(Benchmarks::named).toList();
        List<String> notes = new ArrayList<>();
        SequencedMap<Task, TaskQuestions> questions = new LinkedHashMap<>();
        benchmarks.forEach(benchmark -> questions.putAll(read(benchmark, data, options, notes)));
        return new TaskSuite(benchmarks, questions, List.copyOf(notes), options);
    }

    /// The questions of every task that has documents.
    private static SequencedMap<Task, TaskQuestions> read(
            Benchmark benchmark, DataFiles data, TaskOptions options, List<String> notes) {
        SequencedMap<Task, TaskQuestions> all = new LinkedHashMap<>();
        List<Task> tasks = benchmark.tasks().toList();
        for (Task task : tasks) {
            TaskQuestions questions = TaskQuestions.of(task, data, options);
            if (!questions.items().isEmpty()) {
                all.put(task, questions);
            }
        }
        if (all.isEmpty()) {
            throw new InvalidInputException(
                    "the data of %s has no documents: get it again from its publisher".formatted(benchmark.name()));
        }
        if (all.size() < tasks.size()) {
            notes.add("%s: the data has %d of %d subjects".formatted(benchmark.name(), all.size(), tasks.size()));
        }
        return all;
    }

    /// What a model will be asked, counted.
    public int requests() {
        return questions.values().stream().mapToInt(TaskQuestions::size).sum();
    }

    /// What a reader of the numbers must know, such as subjects without data.
    public List<String> notes() {
        return notes;
    }

    /// Asks a model everything, as many requests at a time as suit their length.
    ///
    /// @throws InvalidInputException if the model's context is too short for a task
    public TaskRun run(TaskModel model, TaskListener listener) {
        return run(model, BatchSize.AUTOMATIC, listener);
    }

    /// [#run(TaskModel, TaskListener)] with a given number of requests at a time.
    public TaskRun run(TaskModel model, BatchSize batchSize, TaskListener listener) {
        RequestRunner runner = new RequestRunner(model, batchSize);
        SequencedMap<Task, List<TaskSample>> samples = new LinkedHashMap<>();
        int before = 0;
        for (Map.Entry<Task, TaskQuestions> entry : questions.entrySet()) {
            String name = entry.getKey().name();
            int start = before;
            List<Response> responses =
                    runner.run(name, entry.getValue().all(), done -> listener.ran(name, start + done));
            samples.put(entry.getKey(), entry.getValue().judge(responses));
            before += responses.size();
        }
        TaskSummary summary = new TaskSummary(questions, samples, options.limit());
        return new TaskRun(
                benchmarks.stream().flatMap(b -> summary.results(b).stream()).toList(),
                samples.values().stream().flatMap(List::stream).toList());
    }
}
