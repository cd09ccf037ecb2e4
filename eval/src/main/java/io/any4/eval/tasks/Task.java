package io.any4.eval.tasks;

import java.util.List;
import java.util.function.Function;
import java.util.stream.Stream;

/// A benchmark, as a value: where its documents are, how one becomes questions to a model, and what is reported.
///
/// @param name as lm-evaluation-harness calls it
/// @param version of the task's definition there
/// @param source where the documents are
/// @param description begins every prompt; may be empty
/// @param shots worked examples before a question unless told otherwise
/// @param drawing how examples are chosen
/// @param metrics what is reported
/// @param item turns a document into what the model is asked
record Task(
        String name,
        String version,
        DataSource source,
        String description,
        int shots,
        Drawing drawing,
        List<Metric> metrics,
        Function<Document, Item> item)
        implements Benchmark {
    Task {
        metrics = List.copyOf(metrics);
    }

    @Override
    public Stream<Task> tasks() {
        return Stream.of(this);
    }

    /// How few-shot examples are chosen.
    enum Drawing {
        /// The first ones.
        FIRST,
        /// At random.
        RANDOM,
        /// At random, one more than needed; the document itself is left out if it is among them.
        RANDOM_OTHERS
    }
}
