package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Sums up judged documents.
///
/// @param questions of the tasks that have documents
/// @param samples of the same tasks
/// @param limit as the user gave it
record TaskSummary(
        Map<Task, TaskQuestions> questions,
        Map<Task, List<TaskSample>> samples,
        @Nullable Integer limit) {
    /// Results of a benchmark; a group's own come before those of its parts.
    List<TaskResult> results(Benchmark benchmark) {
        return switch (benchmark) {
            case Task task ->
                task.metrics().stream().map(metric -> result(task, metric)).toList();
            case Benchmark.Group group -> group(group);
        };
    }

    private List<TaskResult> group(Benchmark.Group group) {
        List<TaskResult> results = new ArrayList<>();
        List<TaskResult> accuracies = group.tasks()
                .filter(samples::containsKey)
                .map(task -> result(task, Metric.ACCURACY))
                .toList();
        if (!accuracies.isEmpty()) {
            results.add(pooled(group, accuracies));
        }
        for (Benchmark part : group.parts()) {
            if (part.tasks().anyMatch(samples::containsKey)) {
                results.addAll(results(part));
            }
        }
        return results;
    }

    private TaskResult result(Task task, Metric metric) {
        double[] scores = Objects.requireNonNull(samples.get(task)).stream()
                .mapToDouble(sample -> Objects.requireNonNull(sample.scores().get(metric)))
                .toArray();
        return new TaskResult(
                task.name(),
                task.version(),
                metric.label(),
                metric.aggregate(scores),
                scores.length > 1 ? metric.standardError(scores) : null,
                metric.higherIsBetter(),
                scores.length,
                Objects.requireNonNull(questions.get(task)).shots(),
                limit);
    }

    private TaskResult pooled(Benchmark.Group group, List<TaskResult> parts) {
        double error = Statistics.pooledStandardError(parts);
        TaskResult first = parts.getFirst();
        return new TaskResult(
                group.name(),
                group.version(),
                first.metric(),
                Statistics.pooledMean(parts),
                Double.isNaN(error) ? null : error,
                first.higherIsBetter(),
                parts.stream().mapToInt(TaskResult::documents).sum(),
                first.shots(),
                limit);
    }
}
