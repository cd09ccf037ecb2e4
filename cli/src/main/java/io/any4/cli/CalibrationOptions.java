package io.any4.cli;

import io.any4.calibrate.Calibration;
import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.CalibrationListener;
import io.any4.calibrate.CalibrationMode;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.Rounding;
import io.any4.calibrate.StatisticsSource;
import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.SelfCalibration;
import io.any4.eval.Windows;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.Device;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say what a model is calibrated on.
final class CalibrationOptions {
    private static final String SELF = "self";
    private static final int SAMPLES = 128;
    private static final int DRAWN_SAMPLES = 64;
    private static final int DRAWN_LENGTH = 512;

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description = {
                "UTF-8 text to calibrate on, or 'self' for text that the model writes itself: needs no file and is of the kind the model",
                "knows; takes as long as generating it does. Default: a short built-in prompt of prose, code, numbers and several languages."
            })
    @Nullable
    String text;

    @Option(
            names = "--samples",
            paramLabel = "N",
            description =
                    "Windows to take from the file, at random places (128 unless said), or to let the model write (64).")
    @Nullable
    Integer samples;

    @Option(
            names = "--seqlen",
            paramLabel = "TOKENS",
            description =
                    "Tokens per window: of a file 2048 unless said, of the model's own text 512, or its context if that is shorter.")
    @Nullable
    Integer length;

    @Option(
            names = "--sequential",
            description =
                    "Let each block see the inputs that the quantized blocks before it produce. Default: those of the original.")
    boolean sequential;

    @Option(
            names = "--gptq",
            description = {
                "Choose codes by error feedback (GPTQ), on any format, with Hessians from the inputs that the quantized",
                "layers before produce. Takes longer, and deserves a calibration FILE of some 32,000 tokens or more."
            })
    boolean gptq;

    @Option(
            names = "--gptaq",
            description = {
                "Like --gptq, but aim at what the original layers make of the inputs they had before anything was quantized (GPTAQ);",
                "runs the original model as well, so takes about half as long again."
            })
    boolean gptaq;

    @Option(
            names = "--refine",
            paramLabel = "N",
            defaultValue = "0",
            description = {
                "Refine tables, scales and codes by what they do to the layer's output, in at most N rounds; stops when the",
                "error on a held-out eighth of the calibration data rises. Works with and without --gptq, and takes a few",
                "times as long as that. Default: ${DEFAULT-VALUE}."
            })
    int refinements;

    private @Nullable CalibrationData data;

    /// Chooses codes, and what to calibrate on if nothing is said of that, as a recipe has it, if there is one.
    void follow(@Nullable Recipe recipe) {
        if (recipe != null) {
            gptq = recipe.rounding().feedback();
            gptaq = recipe.rounding().asymmetric();
            refinements = recipe.rounding().refinements();
            text = text == null && recipe.needsText() ? SELF : text;
        }
    }

    /// How codes are chosen.
    Rounding rounding() {
        return new Rounding(gptq || gptaq, gptaq, refinements);
    }

    /// A calibration with these options that is still to be run.
    ///
    /// @throws InvalidInputException if the options contradict the plan
    StatisticsSource announced(QuantizationPlan plan, CalibrationData data) {
        if (plan.quantizesInputs()) {
            if (sequential || rounding().usesHessian()) {
                throw new InvalidInputException(
                        "methods that quantize inputs too sample those of the original: leave out --gptq, --gptaq, --refine and --sequential");
            }
            return Calibration.announced(data, CalibrationMode.SAMPLES);
        }
        return rounding().usesHessian()
                ? Calibration.announced(data, rounding())
                : Calibration.announced(data, sequential);
    }

    /// The sequences to run a model on; drawn from it once if it shall write them itself.
    CalibrationData data(QuantizeCommand command, int context) {
        if (data == null) {
            data = SELF.equals(text) ? drawn(command, context) : read(command, context);
        }
        return data;
    }

    private CalibrationData read(QuantizeCommand command, int context) {
        int usual = Windows.usualLength(context);
        try (Tokenizer tokenizer = Tokenizer.load(command.model)) {
            return text == null
                    ? CalibrationData.builtIn(tokenizer, usual)
                    : CalibrationData.ofFile(
                            Path.of(text),
                            tokenizer,
                            samples == null ? SAMPLES : samples,
                            length == null ? usual : length,
                            command.seed);
        }
    }

    private CalibrationData drawn(QuantizeCommand command, int context) {
        int count = samples == null ? DRAWN_SAMPLES : samples;
        int tokens = length == null ? Math.min(DRAWN_LENGTH, context) : length;
        if (command.dryRun) {
            return CalibrationData.announced(count, tokens, command.seed);
        }
        try (Tokenizer tokenizer = Tokenizer.load(command.model);
                Device device = command.root.openDevice();
                LoadedModel model = LoadedModel.open(command.model, device);
                Progress progress = Terminal.of(command.root).progress("writing", count, Progress.Unit.of("texts"))) {
            return SelfCalibration.draw(
                    model.decoder(),
                    tokenizer.bosId(),
                    count,
                    tokens,
                    command.seed,
                    (done, total) -> progress.to(done));
        }
    }

    /// Runs the calibration, or gets it ready to run along with the quantization. Unless it is one pass it takes the
    /// decoder over.
    StatisticsSource run(QuantizationPlan plan, Decoder decoder, CalibrationData data, Terminal terminal) {
        if (plan.quantizesInputs()) {
            return Calibration.samples(decoder, data, CalibrationListener.NONE);
        }
        if (rounding().usesHessian()) {
            return Calibration.hessians(decoder, data, rounding(), CalibrationListener.NONE);
        }
        return sequential
                ? Calibration.sequential(decoder, data, CalibrationListener.NONE)
                : Quantization.calibrate(decoder, data, terminal);
    }
}
