package io.any4.eval.tasks;

import java.util.List;
import org.jspecify.annotations.Nullable;

/// Where the documents of a task are found.
///
/// @param dataset id on the Hugging Face hub, such as `Rowan/hellaswag`
/// @param config the hub's name for the part that is meant, if the data set has several
/// @param names what a file or a directory with the data is called, without what follows a dot or a hyphen
/// @param split the documents that are evaluated
/// @param exampleSplit the documents that few-shot examples are drawn from
/// @param subject only documents whose field `subject` is this, or null for all
record DataSource(
        String dataset,
        @Nullable String config,
        List<String> names,
        Split split,
        Split exampleSplit,
        @Nullable String subject) {
    DataSource {
        names = List.copyOf(names);
    }

    DataSource withSubject(String other) {
        return new DataSource(dataset, config, names, split, exampleSplit, other);
    }
}
