package io.any4.cli;

import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.QuantizationSettings;
import io.any4.calibrate.StatisticsSource;
import io.any4.calibrate.Stopwatch;
import io.any4.eval.ComparisonRow;
import io.any4.eval.Windows;
import io.any4.quant.QuantizationSpec;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "ablate",
        description = {
            "Show what each choice in any4 as published is worth on a model (arXiv 2507.04610, section 4).",
            "",
            "Changes one choice at a time: what the error of a weight counts by, the group size, how tables are learned, and what the "
                    + "model is calibrated on. Every row quantizes the model once."
        })
final class AblateCommand implements Callable<Integer> {
    private static final String PUBLISHED = "any4,weighting=mean,kmeans=lloyd";

    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory of an unquantized model.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Option(names = "--text", paramLabel = "FILE", required = true, description = "UTF-8 text to predict.")
    @SuppressWarnings("NullAway.Init")
    Path text;

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description = "UTF-8 text for the row calibrated on many samples. Without it there is no such row.")
    @Nullable
    Path calibration;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "128",
            description = "Windows to take from that file. Default: ${DEFAULT-VALUE}.")
    int samples;

    @Option(
            names = "--window",
            paramLabel = "TOKENS",
            description = "Tokens per window. Default: 2048, or the model's context if that is shorter.")
    @Nullable
    Integer window;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    /// One row of the table.
    private record Variant(String name, String format, StatisticsSource statistics) {}

    @Override
    public Integer call() {
        String contents = TextFiles.read(text);
        try (Device device = root.openDevice();
                Workplace workplace = Workplace.open(null)) {
            List<Contest.Entry> entries = quantize(device, workplace);
            try (Contest contest = new Contest(entries, device)) {
                Windows windows = contest.windows(contents, window);
                List<ComparisonRow> rows =
                        contest.compare(windows, Terminal.of(root)).rows();
                if (json) {
                    spec.commandLine().getOut().println(Json.line(rows));
                } else {
                    ComparisonTable.print(rows, spec.commandLine().getOut());
                }
            }
        }
        return 0;
    }

    private List<Contest.Entry> quantize(Device device, Workplace workplace) {
        List<Contest.Entry> entries = new ArrayList<>();
        try (LoadedModel loaded = LoadedModel.open(model, device);
                Team team = new Team(root.threads())) {
            entries.add(new Contest.Entry("original", model));
            for (Variant variant : variants(loaded)) {
                Path output = workplace.directory().resolve(String.valueOf(entries.size()));
                QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse(variant.format()));
                QuantizationPlan plan = QuantizationPlan.of(loaded.checkpoint(), settings, variant.statistics());
                Quantization.run(plan, output, variant.statistics(), team, Terminal.of(root), Stopwatch.start());
                entries.add(new Contest.Entry(variant.name(), output));
            }
        }
        return entries;
    }

    private List<Variant> variants(LoadedModel loaded) {
        Terminal terminal = Terminal.of(root);
        int length = Windows.usualLength(loaded.decoder().config().contextLength());
        List<Variant> variants = new ArrayList<>();
        try (Tokenizer tokenizer = Tokenizer.load(model)) {
            CalibrationData prompt = CalibrationData.builtIn(tokenizer, length);
            StatisticsSource one = Quantization.calibrate(loaded.decoder(), prompt, terminal);
            variants.add(new Variant("as published", PUBLISHED, one));
            addWeightings(variants, one);
            for (int size : new int[] {64, 256, 512, 1024}) {
                variants.add(new Variant("groups of " + size, PUBLISHED + ",group-size=" + size, one));
            }
            variants.add(new Variant("k-means: random start", "any4,weighting=mean,kmeans=lloyd-random", one));
            variants.add(new Variant("k-means: int4 start", "any4,weighting=mean,kmeans=lloyd-int", one));
            variants.add(new Variant("k-means: nf4 start", "any4,weighting=mean,kmeans=lloyd-nf", one));
            variants.add(new Variant("k-means: fast", "any4,weighting=mean,kmeans=fast", one));
            variants.add(new Variant("k-means: exact", "any4,weighting=mean,kmeans=exact", one));
            for (int seed = 1; seed <= 2; seed++) {
                variants.add(new Variant("k-means++: seed " + seed, PUBLISHED + ",seed=" + seed, one));
            }
            if (calibration != null) {
                CalibrationData many = CalibrationData.ofFile(calibration, tokenizer, samples, length, 0);
                StatisticsSource source = Quantization.calibrate(loaded.decoder(), many, terminal);
                String name = "calibration: %d samples".formatted(many.windows().size());
                variants.add(new Variant(name, PUBLISHED, source));
            }
        }
        return variants;
    }

    private static void addWeightings(List<Variant> variants, StatisticsSource statistics) {
        variants.add(new Variant("weights only", "any4,weighting=none,kmeans=lloyd", StatisticsSource.NONE));
        variants.add(new Variant("x activations", "any4,weighting=mean-unscaled,kmeans=lloyd", statistics));
        variants.add(new Variant("x scales", PUBLISHED, StatisticsSource.NONE));
        variants.add(new Variant("x E|x| x scales", "any4,weighting=mean-abs,kmeans=lloyd", statistics));
        variants.add(new Variant("x E[x^2] x scales^2", "any4,weighting=second-moment,kmeans=lloyd", statistics));
    }
}
