package io.any4.cli;

import io.any4.engine.Benchmark;
import io.any4.engine.Speed;
import io.any4.tinygemm.Device;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "bench",
        description = {
            "Measure how fast a model runs.",
            "",
            "Prints tokens per second of processing a prompt at once (pp) and of generating token by token (tg), as "
                    + "llama-bench does, and the time to the first token. Values are medians; more repetitions, and a machine "
                    + "that does nothing else, make them mean more."
        })
final class BenchCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory, quantized or not.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Option(
            names = "--prompt-tokens",
            paramLabel = "N",
            defaultValue = "512",
            description = "Tokens of the prompt. Default: ${DEFAULT-VALUE}.")
    int promptTokens;

    @Option(
            names = "--generated-tokens",
            paramLabel = "N",
            defaultValue = "128",
            description = "Tokens to generate. Default: ${DEFAULT-VALUE}.")
    int generatedTokens;

    @Option(
            names = "--batch",
            paramLabel = "N",
            split = ",",
            description = {
                "Also generate N sequences at once, such as 2,4,8; the tokens of all of them are counted.",
                "Each has as many tokens as --generated-tokens says."
            })
    List<Integer> batches = List.of();

    @Option(
            names = "--repetitions",
            paramLabel = "N",
            defaultValue = "5",
            description = "Measurements of each, after one that does not count. Default: ${DEFAULT-VALUE}.")
    int repetitions;

    @Option(
            names = "--format",
            paramLabel = "FORMAT",
            defaultValue = "md",
            description = "How to print: ${COMPLETION-CANDIDATES}. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    Format format;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    CacheOptions cache;

    enum Format {
        MD,
        CSV,
        JSON;

        @Override
        public String toString() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    @Override
    public Integer call() {
        requirePositive("--prompt-tokens", promptTokens);
        requirePositive("--generated-tokens", generatedTokens);
        requirePositive("--repetitions", repetitions);
        List<Integer> several = batches.stream().distinct().filter(n -> n != 1).toList();
        several.forEach(n -> requirePositive("--batch", n));
        long runs = repetitions + 1L;
        try (Device device = root.openDeviceToRun();
                LoadedModel loaded = LoadedModel.open(model, device);
                Progress progress =
                        Terminal.of(root).progress("bench", runs * (1 + several.size()), Progress.Unit.of("runs"))) {
            cache.applyToRun(loaded.decoder());
            Benchmark benchmark = new Benchmark(loaded.decoder());
            Map<String, Object> facts = facts(
                    device,
                    benchmark.run(promptTokens, generatedTokens, repetitions, (done, total) -> progress.to(done)));
            for (int i = 0; i < several.size(); i++) {
                long before = runs * (1 + i);
                Speed speed = benchmark.together(
                        several.get(i), generatedTokens, repetitions, (done, total) -> progress.to(before + done));
                put(facts, "tg_batch%d".formatted(several.get(i)), speed);
            }
            print(facts, several);
        }
        return 0;
    }

    private void requirePositive(String option, int value) {
        if (value < 1) {
            throw new ParameterException(spec.commandLine(), "%s must be 1 or more, not %d".formatted(option, value));
        }
    }

    private Map<String, Object> facts(Device device, Benchmark.Result result) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("model", String.valueOf(model.toAbsolutePath().normalize().getFileName()));
        facts.put("device", device.describe());
        facts.put("java", Runtime.version().toString());
        facts.put("processor", MachineFacts.processor());
        put(facts, "pp", result.prompt());
        put(facts, "tg", result.generation());
        facts.put("first_token_ms", rounded(1000 * result.firstTokenSeconds()));
        return facts;
    }

    private static void put(Map<String, Object> facts, String test, Speed speed) {
        facts.put(test + "_tokens", speed.tokens());
        facts.put(test + "_per_second", rounded(speed.median()));
        facts.put(test + "_least", rounded(speed.least()));
        facts.put(test + "_greatest", rounded(speed.greatest()));
    }

    private static double rounded(double value) {
        return Math.round(value * 100) / 100.0;
    }

    private void print(Map<String, Object> facts, List<Integer> several) {
        PrintWriter out = spec.commandLine().getOut();
        switch (format) {
            case JSON -> out.println(Json.line(facts));
            case CSV -> {
                out.println(String.join(",", facts.keySet()));
                out.println(facts.values().stream().map(BenchCommand::quoted).collect(Collectors.joining(",")));
            }
            case MD -> {
                out.println("| model | test | tokens/s | from | to |");
                out.println("|---|---|---:|---:|---:|");
                printRow(out, facts, "pp", "pp" + promptTokens);
                printRow(out, facts, "tg", "tg" + generatedTokens);
                several.forEach(n -> printRow(out, facts, "tg_batch" + n, "tg%d x %d".formatted(generatedTokens, n)));
                out.printf(
                        "%nfirst token after %s ms; %s; Java %s; %s%n",
                        facts.get("first_token_ms"), facts.get("device"), facts.get("java"), facts.get("processor"));
            }
        }
    }

    private static void printRow(PrintWriter out, Map<String, Object> facts, String test, String name) {
        out.printf(
                "| %s | %s | %s | %s | %s |%n",
                facts.get("model"),
                name,
                facts.get(test + "_per_second"),
                facts.get(test + "_least"),
                facts.get(test + "_greatest"));
    }

    private static String quoted(Object value) {
        return value instanceof Number
                ? value.toString()
                : "\"" + value.toString().replace("\"", "\"\"") + "\"";
    }
}
