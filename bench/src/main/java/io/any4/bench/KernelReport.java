package io.any4.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.CommandLineOptionException;
import org.openjdk.jmh.runner.options.CommandLineOptions;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import tools.jackson.databind.json.JsonMapper;

/// Runs the JMH benchmarks and prints a table: nanoseconds, GB/s of packed weights, and the share of what the memory
/// gives to as many threads that only read.
///
/// Takes the options of JMH, such as `ProductBenchmark -p format=any4,int4 -p threads=2`. With `-Dhistory=FILE` in the
/// JVM's options the rows are appended to a file of JSON lines.
final class KernelReport {
    private final Map<Integer, Double> ceilings = new TreeMap<>();
    private final @Nullable Path history;

    private KernelReport(@Nullable Path history) {
        this.history = history;
    }

    public static void main(String[] args) throws CommandLineOptionException, RunnerException, IOException {
        String file = System.getProperty("history");
        new KernelReport(file == null ? null : Path.of(file)).run(new CommandLineOptions(args));
    }

    private void run(CommandLineOptions options) throws RunnerException, IOException {
        var builder = new OptionsBuilder().parent(options);
        if (options.getIncludes().isEmpty()) {
            builder.include(ProductBenchmark.class.getSimpleName()).include(OperationBenchmark.class.getSimpleName());
        }
        Collection<RunResult> results = new Runner(builder.build()).run();
        System.out.println();
        System.out.println("| benchmark | parameters | ns | ± | GB/s | of ceiling |");
        System.out.println("|---|---|---:|---:|---:|---:|");
        for (RunResult result : results) {
            add(result);
        }
        ceilings.forEach((threads, rate) -> System.out.printf(
                Locale.ROOT, "%nceiling with %d thread(s): %.1f GB/s read from memory", threads, rate));
        System.out.printf(
                "%n%s, %d processors, Java %s%n",
                Machine.processor(), Runtime.getRuntime().availableProcessors(), Runtime.version());
    }

    private void add(RunResult result) throws RunnerException, IOException {
        BenchmarkParams params = result.getParams();
        double nanos = result.getPrimaryResult().getScore();
        String name = params.getBenchmark().replaceFirst(".*\\.(\\w+\\.\\w+)$", "$1");
        Map<String, Object> row = new LinkedHashMap<>();
        row.put("benchmark", name);
        for (String key : params.getParamsKeys()) {
            row.put(key, params.getParam(key));
        }
        String parameters = row.entrySet().stream()
                .skip(1)
                .map(entry -> entry.getKey() + " " + entry.getValue())
                .reduce((a, b) -> a + ", " + b)
                .orElse("");
        row.put("ns", Math.round(nanos));
        String rate = "";
        String share = "";
        if (params.getParamsKeys().contains("format")) {
            double gigabytes =
                    ProductBenchmark.weightBytes(params.getParam("format"), params.getParam("shape")) / nanos;
            row.put("gb_per_s", Math.round(gigabytes * 100) / 100.0);
            rate = String.format(Locale.ROOT, "%.1f", gigabytes);
            if ("memory".equals(params.getParam("weights"))) {
                double ceiling = ceiling(Integer.parseInt(params.getParam("threads")));
                row.put("ceiling_gb_per_s", Math.round(ceiling * 100) / 100.0);
                share = String.format(Locale.ROOT, "%.0f %%", 100 * gigabytes / ceiling);
            }
        }
        System.out.printf(
                Locale.ROOT,
                "| %s | %s | %.0f | %.0f | %s | %s |%n",
                name,
                parameters,
                nanos,
                result.getPrimaryResult().getScoreError(),
                rate,
                share);
        keep(row);
    }

    /// Measured when first asked for, by threads that do nothing but read.
    private double ceiling(int threads) throws RunnerException {
        Double known = ceilings.get(threads);
        if (known != null) {
            return known;
        }
        RunResult result = new Runner(new OptionsBuilder()
                        .include(ReadBenchmark.class.getSimpleName())
                        .threads(threads)
                        .verbosity(org.openjdk.jmh.runner.options.VerboseMode.SILENT)
                        .build())
                .runSingle();
        double rate = threads * ReadBenchmark.BYTES / result.getPrimaryResult().getScore();
        ceilings.put(threads, rate);
        return rate;
    }

    private void keep(Map<String, Object> row) throws IOException {
        if (history == null) {
            return;
        }
        Map<String, Object> line = new LinkedHashMap<>(Machine.facts());
        line.putAll(row);
        Files.write(
                history,
                List.of(JsonMapper.shared().writeValueAsString(line)),
                StandardOpenOption.CREATE,
                StandardOpenOption.APPEND);
    }
}
