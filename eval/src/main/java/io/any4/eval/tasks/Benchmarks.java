package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// The benchmarks by name.
public final class Benchmarks {
    private static final List<Benchmark> ALL = List.of(
            HellaSwag.TASK,
            Piqa.TASK,
            Arc.EASY,
            Arc.CHALLENGE,
            WinoGrande.TASK,
            BoolQ.TASK,
            OpenBookQa.TASK,
            Copa.TASK,
            Lambada.TASK,
            Mmlu.group(),
            Gsm8k.TASK);

    /// Parts of groups have names too, and people shorten.
    private static final Map<String, Benchmark> BY_NAME = new TreeMap<>(Map.of("lambada", Lambada.TASK));

    static {
        ALL.forEach(Benchmarks::register);
    }

    private Benchmarks() {}

    private static void register(Benchmark benchmark) {
        BY_NAME.put(benchmark.name(), benchmark);
        if (benchmark instanceof Benchmark.Group group) {
            group.parts().forEach(Benchmarks::register);
        }
    }

    /// Names of all benchmarks, without those of their parts.
    public static List<String> names() {
        return ALL.stream().map(Benchmark::name).toList();
    }

    /// @throws InvalidInputException if there is none of that name
    static Benchmark named(String name) {
        Benchmark benchmark = BY_NAME.get(name);
        if (benchmark == null) {
            throw new InvalidInputException(
                    "there is no task '%s': choose from %s".formatted(name, String.join(", ", names())));
        }
        return benchmark;
    }
}
