package io.any4.eval.tasks;

import java.util.List;

/// What evaluating a model on some tasks gave.
///
/// @param results in the order the tasks were asked for; a group before its parts
/// @param samples every document, in the order of the tasks
public record TaskRun(List<TaskResult> results, List<TaskSample> samples) {
    public TaskRun {
        results = List.copyOf(results);
        samples = List.copyOf(samples);
    }
}
