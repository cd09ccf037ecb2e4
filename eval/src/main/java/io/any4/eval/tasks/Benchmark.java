package io.any4.eval.tasks;

import java.util.List;
import java.util.stream.Stream;

/// What can be asked for by name: a task, or tasks that are also reported together.
sealed interface Benchmark permits Task, Benchmark.Group {
    String name();

    String version();

    /// The tasks in it.
    Stream<Task> tasks();

    /// Tasks whose accuracies are also reported as one, weighted by their documents.
    record Group(String name, String version, List<Benchmark> parts) implements Benchmark {
        public Group {
            parts = List.copyOf(parts);
        }

        @Override
        public Stream<Task> tasks() {
            return parts.stream().flatMap(Benchmark::tasks);
        }
    }
}
