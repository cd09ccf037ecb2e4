package io.any4.bench;

import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import tools.jackson.databind.json.JsonMapper;

/// Measures any4j beside other programs on the shape of Llama-3.2-1B: all in turn, round after round, medians
/// at the end.
@Command(
        name = "peers",
        sortOptions = false,
        description = {
            "Measure any4j beside llama.cpp and Jlama.",
            "",
            "All run the shape of Llama-3.2-1B with random weights of 4 bits, embedding and output layer included, one after "
                    + "the other in every round, on the same threads. Prints medians and ratios. Models are written on "
                    + "first use (0.7 GB each; Jlama needs 3.4 GB)."
        })
final class Peers implements Callable<Integer> {
    @CommandLine.Spec
    @SuppressWarnings("NullAway.Init")
    CommandLine.Model.CommandSpec spec;

    @Option(names = "--llama-bench", paramLabel = "FILE", description = "llama.cpp's llama-bench, as installed.")
    @Nullable
    Path llamaBench;

    @Option(
            names = "--llama-batched-bench",
            paramLabel = "FILE",
            description = "llama.cpp's llama-batched-bench, to measure several sequences at once beside it too.")
    @Nullable
    Path llamaBatchedBench;

    @Option(
            names = "--types",
            split = ",",
            paramLabel = "TYPE",
            defaultValue = "q4_0,q4_k,iq4_nl",
            description = "Types that llama.cpp runs. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    List<String> types;

    @Option(names = "--jlama", description = "Run Jlama (from Maven Central), quantized to its Q4, as well.")
    boolean jlama;

    @Option(
            names = "--accelerator",
            paramLabel = "NAME",
            description = "Run any4j a second time with this accelerator, such as onednn.")
    @Nullable
    String accelerator;

    @Option(
            names = "--threads",
            split = ",",
            paramLabel = "N",
            defaultValue = "1,2",
            description = "Thread counts. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    List<Integer> threads;

    @Option(
            names = "--prompt-tokens",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of the prompt. Default: ${DEFAULT-VALUE}.")
    int prompt;

    @Option(
            names = "--generated-tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "Tokens to generate. Default: ${DEFAULT-VALUE}.")
    int generated;

    @Option(
            names = "--batch",
            paramLabel = "N",
            defaultValue = "8",
            description = "Sequences to generate at once. Default: ${DEFAULT-VALUE}.")
    int sequences;

    @Option(
            names = "--rounds",
            paramLabel = "N",
            defaultValue = "3",
            description = "How often everything is measured. Default: ${DEFAULT-VALUE}.")
    int rounds;

    @Option(
            names = "--history",
            paramLabel = "FILE",
            description = "Append the medians to a file of JSON lines, such as bench/history/peers.jsonl.")
    @Nullable
    Path history;

    public static void main(String[] args) {
        System.exit(new CommandLine(new Peers()).execute(args));
    }

    @Override
    public Integer call() throws IOException, InterruptedException {
        if (rounds < 1 || prompt < 1 || generated < 1 || sequences < 1) {
            throw new ParameterException(spec.commandLine(), "rounds, tokens and sequences must be 1 or more");
        }
        List<Contestant> contestants = contestants();
        Map<String, Series> results = new LinkedHashMap<>();
        for (int round = 0; round < rounds; round++) {
            for (int count : threads) {
                for (Contestant contestant : contestants) {
                    System.err.printf(
                            "round %d of %d, %d thread(s): %s%n", round + 1, rounds, count, contestant.name());
                    Contestant.Speeds speeds = contestant.run(new Contestant.Load(count, prompt, generated, sequences));
                    results.computeIfAbsent(contestant.name() + "/" + count, key -> new Series(contestant, count))
                            .add(speeds);
                }
            }
        }
        print(List.copyOf(results.values()));
        return 0;
    }

    private List<Contestant> contestants() throws IOException, InterruptedException {
        PeerModels models = new PeerModels();
        List<Contestant> contestants = new ArrayList<>();
        contestants.add(Contestant.any4j(models.any4()));
        contestants.add(Contestant.any4j(models.any4(), "--activations", "int8"));
        contestants.add(Contestant.any4j(models.any4(), "--activations", "f32"));
        if (accelerator != null) {
            contestants.add(Contestant.any4j(models.any4(), "--accelerator", accelerator));
        }
        if (llamaBench != null) {
            requireProgram(llamaBench, "llama-bench");
            if (llamaBatchedBench != null) {
                requireProgram(llamaBatchedBench, "llama-batched-bench");
            }
            for (String type : types) {
                contestants.add(Contestant.llamaCpp(llamaBench, llamaBatchedBench, models.gguf(type), type));
            }
        }
        if (jlama) {
            contestants.add(Contestant.jlama(models.bf16()));
        }
        return contestants;
    }

    private void requireProgram(Path program, String name) {
        if (!Files.isExecutable(program)) {
            throw new ParameterException(
                    spec.commandLine(), "%s is no program: give the path of llama.cpp's %s".formatted(program, name));
        }
    }

    /// The runs of one contestant with one number of threads.
    private static final class Series {
        final Contestant contestant;
        final int threads;
        private final List<Double> prompt = new ArrayList<>();
        private final List<Double> generation = new ArrayList<>();
        private final List<Double> together = new ArrayList<>();
        private String version = "";

        Series(Contestant contestant, int threads) {
            this.contestant = contestant;
            this.threads = threads;
        }

        void add(Contestant.Speeds speeds) {
            prompt.add(speeds.prompt());
            generation.add(speeds.generation());
            together.add(speeds.together());
            version = speeds.version();
        }

        double prompt() {
            return median(prompt);
        }

        double generation() {
            return median(generation);
        }

        double together() {
            return median(together);
        }

        private static double median(List<Double> values) {
            List<Double> sorted = values.stream().sorted().toList();
            int half = sorted.size() / 2;
            return sorted.size() % 2 == 1 ? sorted.get(half) : (sorted.get(half - 1) + sorted.get(half)) / 2;
        }
    }

    private void print(List<Series> all) throws IOException {
        PrintStream out = System.out;
        out.printf(
                "| threads | program | weights | pp%d tokens/s | any4j / this | tg%d tokens/s | any4j / this | tg%d x %d tokens/s "
                        + "| any4j / this |%n",
                prompt, generated, generated, sequences);
        out.println("|---:|---|---|---:|---:|---:|---:|---:|---:|");
        for (int count : threads) {
            Series own =
                    all.stream().filter(s -> s.threads == count).findFirst().orElseThrow();
            for (Series series : all) {
                if (series.threads == count) {
                    out.printf(
                            "| %d | %s | %s |%s%s%s%n",
                            count,
                            series.contestant.name(),
                            series.contestant.weights(),
                            cells(series.prompt(), own.prompt()),
                            cells(series.generation(), own.generation()),
                            cells(series.together(), own.together()));
                    keep(series);
                }
            }
        }
        out.printf(
                "%n%s, %d processors, Java %s; medians of %d rounds%n",
                Machine.processor(), Runtime.getRuntime().availableProcessors(), Runtime.version(), rounds);
        all.stream()
                .filter(series -> series.threads == threads.getFirst())
                .forEach(series -> out.println(series.contestant.name() + ": " + series.version));
    }

    /// A speed and how it compares with any4j's, or nothing where it was not measured.
    private static String cells(double speed, double own) {
        return Double.isNaN(speed) ? " | |" : String.format(Locale.ROOT, " %.1f | %.2f |", speed, own / speed);
    }

    private void keep(Series series) throws IOException {
        if (history == null) {
            return;
        }
        Map<String, Object> line = new LinkedHashMap<>(Machine.facts());
        line.put("program", series.contestant.name());
        line.put("version", series.version);
        line.put("weights", series.contestant.weights());
        line.put("threads", series.threads);
        line.put("rounds", rounds);
        line.put("pp_tokens", prompt);
        line.put("pp_per_second", Math.round(series.prompt() * 100) / 100.0);
        line.put("tg_tokens", generated);
        line.put("tg_per_second", Math.round(series.generation() * 100) / 100.0);
        if (!Double.isNaN(series.together())) {
            line.put("sequences", sequences);
            line.put("together_per_second", Math.round(series.together() * 100) / 100.0);
        }
        Files.createDirectories(history.toAbsolutePath().getParent());
        Files.write(
                history,
                List.of(JsonMapper.shared().writeValueAsString(line)),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
