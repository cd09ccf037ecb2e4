package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import org.jspecify.annotations.Nullable;

/// What a user may change about tasks.
///
/// @param shots worked examples before each question, or null for each task's own number
/// @param limit most documents per task (MMLU: per subject), or null for all
public record TaskOptions(@Nullable Integer shots, @Nullable Integer limit) {
    /// Every task as it is defined, on all its documents.
    public static final TaskOptions DEFAULT = new TaskOptions(null, null);

    public TaskOptions {
        if (shots != null && shots < 0) {
            throw new InvalidInputException("%d shots make no sense: give 0 or more".formatted(shots));
        }
        if (limit != null && limit < 1) {
            throw new InvalidInputException("a limit of %d documents makes no sense: give 1 or more".formatted(limit));
        }
    }
}
