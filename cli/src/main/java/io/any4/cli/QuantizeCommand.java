package io.any4.cli;

import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.QuantizationJob;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.QuantizationResult;
import io.any4.calibrate.QuantizationSettings;
import io.any4.calibrate.StatisticsSource;
import io.any4.calibrate.Stopwatch;
import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.model.ModelConfig;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.PrintWriter;
import java.io.Writer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.Spec;

@Command(
        name = "quantize",
        description = {
            "Quantize a model and write it as a new checkpoint.",
            "",
            "One tensor is in memory at a time. The output appears when it is complete; a run that was interrupted goes on when the same "
                    + "command is given again. The same input and seed give the same bytes."
        })
final class QuantizeCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory of an unquantized model.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Option(
            names = {"-o", "--output"},
            paramLabel = "OUT",
            required = true,
            description = "Directory to write; it must not exist.")
    @SuppressWarnings("NullAway.Init")
    Path output;

    @Mixin
    RecipeOption recipe = new RecipeOption();

    @Mixin
    @SuppressWarnings("NullAway.Init")
    SpecOptions format;

    @Option(
            names = "--equal-bits",
            description =
                    "Choose groups so small that each matrix takes what it takes in any4 with groups of 128 (any3, any2 at 3 and 2 "
                            + "bits), for any*s also whether its rows share a table, so that methods can be compared. Recipes do.")
    boolean equalBits;

    @Option(
            names = "--skip",
            paramLabel = "PATTERN",
            description =
                    "Leave modules as they are; * stands for any part of a name, re: begins a regular expression. May be repeated.")
    List<String> skip = List.of();

    @Option(
            names = "--override",
            paramLabel = "PATTERN=SETTINGS",
            description =
                    "Quantize modules otherwise, such as '*.down_proj=group-size=64' or '*.v_proj=int8'. May be repeated.")
    List<String> overrides = List.of();

    @Option(names = "--include-lm-head", description = "Quantize the output projection as well.")
    boolean includeHead;

    @Option(names = "--include-embeddings", description = "Quantize the embeddings as well.")
    boolean includeEmbeddings;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    CalibrationOptions calibration;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of everything random. Default: ${DEFAULT-VALUE}.")
    long seed;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    PreparationOptions preparation;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    BitOptions bits;

    @Option(names = "--dry-run", description = "Print what would be written, to the byte, and write nothing.")
    boolean dryRun;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    /// The command of these words, under the options for all verbs that another command line has; prints no results.
    ///
    /// @throws ParameterException if they are wrong
    static QuantizeCommand parse(List<String> words, Any4Command root) {
        PrintWriter nowhere = new PrintWriter(Writer.nullWriter());
        CommandLine line = Main.commandLine(nowhere, root.spec.commandLine().getErr());
        ParseResult parsed = line.parseArgs(words.toArray(String[]::new)).subcommand();
        QuantizeCommand command = (QuantizeCommand) parsed.commandSpec().userObject();
        command.root = root;
        return command;
    }

    @Override
    public Integer call() {
        Stopwatch watch = Stopwatch.start();
        recipe.requireAlone(spec);
        calibration.follow(recipe.recipe);
        QuantizationSettings uniform = settings();
        if (!dryRun) {
            QuantizationJob.requireAbsent(output);
        }
        try (PreparationOptions.Source source = preparation.open(this)) {
            Checkpoint checkpoint = source.checkpoint();
            QuantizationSettings settings = bits.apply(this, checkpoint, matched(checkpoint, uniform));
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
            if (calibration.rounding().usesHessian() || Quantization.needsStatistics(plan)) {
                int context = ModelConfig.parse(checkpoint.config()).contextLength();
                CalibrationData data = calibration.data(this, context);
                StatisticsSource announced = calibration.announced(plan, data);
                quantizeCalibrated(checkpoint, QuantizationPlan.of(checkpoint, settings, announced), data, watch);
            } else {
                quantize(plan, StatisticsSource.NONE, watch);
            }
        }
        return 0;
    }

    /// The settings with groups that suit the rows, if they shall be chosen.
    QuantizationSettings matched(Checkpoint checkpoint, QuantizationSettings settings) {
        if (recipe.recipe == null && !equalBits || format.groupSize != null) {
            return settings;
        }
        QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
        List<String> all = new ArrayList<>(EqualBits.overrides(plan));
        all.addAll(overrides);
        return settings.withOverrides(all);
    }

    QuantizationSettings settings() {
        try {
            return QuantizationSettings.of(format.spec(recipe.recipe, seed))
                    .withSkip(skip)
                    .withOverrides(overrides)
                    .withHead(includeHead)
                    .withEmbeddings(includeEmbeddings);
        } catch (InvalidInputException e) {
            throw new ParameterException(spec.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private void quantizeCalibrated(
            Checkpoint checkpoint, QuantizationPlan plan, CalibrationData data, Stopwatch watch) {
        if (dryRun) {
            print(plan, null);
            return;
        }
        try (Device device = root.openDevice()) {
            Decoder decoder = Decoder.load(checkpoint, device);
            quantize(plan, calibration.run(plan, decoder, data, Terminal.of(root)), watch);
        }
    }

    private void quantize(QuantizationPlan plan, StatisticsSource statistics, Stopwatch watch) {
        if (dryRun) {
            print(plan, null);
            return;
        }
        try (Team team = new Team(root.threads())) {
            print(plan, Quantization.run(plan, output, statistics, team, Terminal.of(root), watch));
        }
    }

    /// @param result null if nothing was written
    private void print(QuantizationPlan plan, @Nullable QuantizationResult result) {
        Map<String, Object> facts = new LinkedHashMap<>();
        facts.put("output", output.toString());
        facts.put("bytes", plan.outputBytes());
        facts.put("bitsPerWeight", plan.quantizedBitsPerWeight());
        facts.put("bitsPerWeightOfModel", plan.bitsPerWeight());
        facts.put("modules", plan.modules().size());
        if (result != null) {
            facts.put("relativeError", result.total().relativeError());
            facts.put("seconds", result.time().seconds());
            facts.put("cpuSeconds", result.time().cpuSeconds());
        }
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            facts.put("allocation", bits.facts());
            out.println(Json.line(facts));
            return;
        }
        bits.print(out);
        out.printf(
                "%s %s: %,d bytes; %d matrices at %.3f bits per weight, %.3f over the whole model%n",
                result == null ? "would write" : "wrote",
                output,
                plan.outputBytes(),
                plan.modules().size(),
                plan.quantizedBitsPerWeight(),
                plan.bitsPerWeight());
        if (result != null) {
            out.printf(
                    "relative squared error %.3f %%, %.1f s, %.1f s of processor time%n",
                    100 * result.total().relativeError(),
                    result.time().seconds(),
                    result.time().cpuSeconds());
        }
    }
}
