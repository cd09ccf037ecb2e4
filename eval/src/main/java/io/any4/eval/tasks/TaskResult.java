package io.any4.eval.tasks;

import org.jspecify.annotations.Nullable;

/// One number that a task gave.
///
/// @param task its name; a group such as `mmlu` has results of its own
/// @param version of the task's definition in lm-evaluation-harness
/// @param metric what was measured, as [Metric#label]
/// @param value the number
/// @param standardError of `value`, or null if one document gives none
/// @param higherIsBetter whether a larger value is the better one
/// @param documents how many it was measured on
/// @param shots worked examples before each question
/// @param limit the most documents that were asked for per task, or null for all there are
public record TaskResult(
        String task,
        String version,
        String metric,
        double value,
        @Nullable Double standardError,
        boolean higherIsBetter,
        int documents,
        int shots,
        @Nullable Integer limit) {}
