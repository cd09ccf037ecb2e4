package io.any4.cli;

import io.any4.checkpoint.Checkpoint;
import io.any4.eval.Comparison;
import io.any4.eval.HtmlReport;
import io.any4.eval.Report;
import io.any4.eval.Sample;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.SequencedMap;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "demo",
        description = {
            "Quantize the bundled model eight ways, show what each cost, let it write, and save an HTML report.",
            "",
            "It takes about a minute. Any other model of a supported architecture can be shown with --model and --text."
        })
final class DemoCommand implements Callable<Integer> {
    private static final List<String> METHODS = List.of("int4", "fp4", "nf4", "any4", "int3", "any3", "int2", "any2");
    private static final String SHOWN = "any4";
    private static final Sampling SAMPLING = new Sampling(0.7, 40, 1, 1);

    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Option(
            names = "--model",
            paramLabel = "MODEL",
            description = "Another unquantized checkpoint directory than the bundled one.")
    @Nullable
    Path model;

    @Option(
            names = "--text",
            paramLabel = "FILE",
            description = "Another text to measure perplexity on than the bundled one.")
    @Nullable
    Path text;

    @Option(
            names = {"-g", "--group-size"},
            paramLabel = "N",
            defaultValue = "128",
            description = "Weights that share a scale, or 'row'. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    String groupSize;

    @Option(
            names = "--prompt",
            paramLabel = "TEXT",
            defaultValue = "It was late in the evening when",
            description = "What the models are to continue.")
    @SuppressWarnings("NullAway.Init")
    String prompt;

    @Option(
            names = "--report",
            paramLabel = "FILE",
            defaultValue = "report.html",
            description = "The HTML report to write. Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    Path report;

    @Option(names = "--keep", paramLabel = "DIR", description = "Keep the quantized checkpoints in this new directory.")
    @Nullable
    Path keep;

    @Override
    public Integer call() {
        Path original = model == null ? bundled() : model;
        Path evaluation = text == null ? bundled().resolve("heldout.txt") : text;
        String contents = TextFiles.read(evaluation);
        try (Device device = root.openDevice();
                Workplace workplace = Workplace.open(keep)) {
            List<Contest.Entry> entries = quantize(original, workplace);
            show(entries, contents, evaluation, device);
        }
        return 0;
    }

    private Path bundled() {
        String home = System.getProperty("any4.home");
        if (home == null) {
            throw new ParameterException(
                    spec.commandLine(),
                    "there is no bundled model here: start any4j with its launcher, or name a --model");
        }
        return Path.of(home, "models", "demo");
    }

    private List<Contest.Entry> quantize(Path original, Workplace workplace) {
        List<Contest.Entry> entries = new ArrayList<>();
        try (Checkpoint checkpoint = Checkpoint.open(original)) {
            entries.add(new Contest.Entry(CheckpointSummary.of(checkpoint).settings(), original));
        }
        List<Contender> contenders = Contender.parse(METHODS, groupSize);
        entries.addAll(Contender.quantize(contenders, original, List.of(), workplace, root));
        return entries;
    }

    private void show(List<Contest.Entry> entries, String contents, Path evaluation, Device device) {
        Terminal terminal = Terminal.of(root);
        PrintWriter out = spec.commandLine().getOut();
        try (Contest contest = new Contest(entries, device)) {
            Comparison comparison = contest.compare(contest.windows(contents, null), terminal);
            out.println();
            ComparisonTable.print(comparison.rows(), out);
            List<Sample> samples = List.of(
                    contest.sample(entries.getFirst().name(), prompt, 64, SAMPLING),
                    contest.sample(SHOWN, prompt, 64, SAMPLING));
            for (Sample sample : samples) {
                out.printf("%n%s writes:%n%s%s%n", sample.model(), sample.prompt(), sample.continuation());
            }
            HtmlReport.write(report, report(comparison, contest, samples, evaluation, device));
        }
        out.printf("%nThe report is in %s%n", report.toAbsolutePath());
        if (keep != null) {
            out.println("The quantized models are in " + keep);
        }
    }

    private Report report(
            Comparison comparison, Contest contest, List<Sample> samples, Path evaluation, Device device) {
        SequencedMap<String, String> provenance = Provenance.of(spec, device);
        provenance.put("Calibration", "the built-in prompt, one pass over the original");
        provenance.put("Seed", "0 for quantization, %d for text".formatted(SAMPLING.seed()));
        String name = model == null
                ? "the demo model"
                : model.toAbsolutePath().normalize().getFileName().toString();
        return new Report(
                "What quantizing %s cost".formatted(name),
                evaluation.getFileName().toString(),
                comparison.rows(),
                comparison.layers(),
                contest.histogram(),
                samples,
                provenance);
    }
}
