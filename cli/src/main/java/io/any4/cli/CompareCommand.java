package io.any4.cli;

import io.any4.eval.Comparison;
import io.any4.eval.ComparisonRow;
import io.any4.eval.HtmlReport;
import io.any4.eval.Report;
import io.any4.eval.Sample;
import io.any4.eval.Windows;
import io.any4.eval.tasks.TaskSuite;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "compare",
        description = {
            "Measure a model and quantized versions of it side by side, and write an HTML report.",
            "",
            "For each: bits per weight, size, perplexity, mean KL divergence from the original, how often both find the same token most "
                    + "likely, and how long quantizing took.",
            "",
            "Versions that do not exist yet are quantized for the comparison: --methods says how, all of them for a whole table."
        })
final class CompareCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(index = "0", paramLabel = "MODEL", description = "The original.")
    @SuppressWarnings("NullAway.Init")
    Path original;

    @Parameters(index = "1..*", arity = "0..*", paramLabel = "QUANTIZED", description = "Quantized versions of it.")
    List<Path> quantized = List.of();

    @Mixin
    ContenderOptions contenders = new ContenderOptions();

    @Option(names = "--text", paramLabel = "FILE", required = true, description = "UTF-8 text to predict.")
    @SuppressWarnings("NullAway.Init")
    Path text;

    @Option(
            names = "--window",
            paramLabel = "TOKENS",
            description = "Tokens per window. Default: 2048, or the model's context if that is shorter.")
    @Nullable
    Integer window;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            description = "Let every model continue this text, for the report.")
    @Nullable
    String prompt;

    @Mixin
    TaskSelection tasks = new TaskSelection();

    @Option(names = "--report", paramLabel = "FILE", description = "Write the HTML report to this file.")
    @Nullable
    Path report;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        String contents = TextFiles.read(text);
        Terminal terminal = Terminal.of(root);
        TaskSuite suite = tasks.names.isEmpty() ? null : tasks.read(terminal);
        if (quantized.isEmpty() && contenders.isEmpty()) {
            throw new ParameterException(
                    spec.commandLine(), "name quantized versions of the model, or ways to quantize it: --methods all");
        }
        try (Workplace workplace = contenders.workplace()) {
            compare(entries(workplace), contents, suite, terminal);
        }
        return 0;
    }

    private void compare(List<Contest.Entry> entries, String contents, @Nullable TaskSuite suite, Terminal terminal) {
        try (Device device = root.openDevice();
                Contest contest = new Contest(entries, device)) {
            Windows windows = contest.windows(contents, window);
            Comparison comparison = contest.compare(windows, terminal);
            if (suite != null) {
                comparison = contest.ask(comparison, suite, tasks, terminal);
            }
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(Json.line(comparison.rows()));
            } else {
                ComparisonTable.print(comparison.rows(), out);
                TaskTable.print(comparison.rows(), out);
            }
            if (report != null) {
                HtmlReport.write(report, report(comparison, contest, device));
                terminal.note("wrote " + report);
            }
        }
    }

    private List<Contest.Entry> entries(Workplace workplace) {
        List<Contest.Entry> entries = new ArrayList<>();
        Stream.concat(Stream.of(original), quantized.stream())
                .forEach(directory -> entries.add(new Contest.Entry(name(directory, entries), directory)));
        for (Contest.Entry entry : contenders.quantize(original, workplace, root)) {
            boolean taken = entries.stream().anyMatch(other -> other.name().equals(entry.name()));
            entries.add(taken ? new Contest.Entry(entry.name() + ", new", entry.directory()) : entry);
        }
        return entries;
    }

    /// The directory's name, or its path if another model has that name already.
    private static String name(Path directory, List<Contest.Entry> taken) {
        String name = directory.toAbsolutePath().normalize().getFileName().toString();
        return taken.stream().anyMatch(entry -> entry.name().equals(name)) ? directory.toString() : name;
    }

    private Report report(Comparison comparison, Contest contest, Device device) {
        List<Sample> samples = new ArrayList<>();
        if (prompt != null) {
            for (ComparisonRow row : comparison.rows()) {
                samples.add(contest.sample(row.name(), prompt, 64, Sampling.GREEDY));
            }
        }
        SequencedMap<String, String> provenance = Provenance.of(spec, device);
        contenders.describe(provenance);
        return new Report(
                "What quantizing %s cost".formatted(comparison.rows().getFirst().name()),
                text.getFileName().toString(),
                comparison.rows(),
                comparison.layers(),
                contest.histogram(),
                samples,
                provenance);
    }
}
