package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Asks a model the questions of benchmarks.
///
/// Prompts, tokenization, metrics and standard errors are those of lm-evaluation-harness 0.4.13. Requests that begin
/// alike share the computation of what they have in common.
public final class TaskEvaluation {
    private final RequestRunner runner;
    private final DataFiles data;
    private final TaskOptions options;
    private final TaskListener listener;

    /// @param data where the documents are
    public TaskEvaluation(TaskModel model, DataFiles data, TaskOptions options, TaskListener listener) {
        this.runner = new RequestRunner(model);
        this.data = data;
        this.options = options;
        this.listener = listener;
    }

    /// Evaluates tasks.
    ///
    /// @param names from [Benchmarks#names], or of parts such as `mmlu_stem` and `mmlu_anatomy`
    /// @throws InvalidInputException if a task does not exist or its data cannot be used
    public TaskRun run(List<String> names) {
        List<Benchmark> benchmarks = names.stream().map(Benchmarks::named).toList();
        List<String> notes = new ArrayList<>();
        SequencedMap<Task, TaskQuestions> questions = new LinkedHashMap<>();
        benchmarks.forEach(benchmark -> questions.putAll(questions(benchmark, notes)));

        SequencedMap<Task, List<TaskSample>> samples = answer(questions);
        List<TaskResult> results = new ArrayList<>();
        TaskSummary summary = new TaskSummary(questions, samples, options.limit());
        benchmarks.forEach(benchmark -> results.addAll(summary.results(benchmark)));
        return new TaskRun(
                results, samples.values().stream().flatMap(List::stream).toList(), notes);
    }

    /// The questions of every task that has documents.
    private SequencedMap<Task, TaskQuestions> questions(Benchmark benchmark, List<String> notes) {
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

    private SequencedMap<Task, List<TaskSample>> answer(SequencedMap<Task, TaskQuestions> questions) {
        int total = questions.values().stream().mapToInt(q -> q.all().size()).sum();
        SequencedMap<Task, List<TaskSample>> samples = new LinkedHashMap<>();
        int before = 0;
        for (Map.Entry<Task, TaskQuestions> entry : questions.entrySet()) {
            Task task = entry.getKey();
            List<Request> requests = entry.getValue().all();
            int start = before;
            List<Response> responses =
                    runner.run(task.name(), requests, done -> listener.ran(task.name(), start + done, total));
            samples.put(task, entry.getValue().judge(responses));
            before += requests.size();
        }
        return samples;
    }
}
