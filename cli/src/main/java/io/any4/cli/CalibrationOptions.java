package io.any4.cli;

import io.any4.calibrate.Calibration;
import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.CalibrationListener;
import io.any4.calibrate.CalibrationMode;
import io.any4.calibrate.QuantizationPlan;
import io.any4.calibrate.Rounding;
import io.any4.calibrate.StatisticsSource;
import io.any4.checkpoint.InvalidInputException;
import io.any4.eval.Windows;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options that say what a model is calibrated on.
final class CalibrationOptions {
    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description =
                    "UTF-8 text to calibrate on. Default: a short built-in prompt of prose, code, numbers and several languages.")
    @Nullable
    Path file;

    @Option(
            names = "--samples",
            paramLabel = "N",
            defaultValue = "128",
            description = "Windows to take from the file, at random places. Default: ${DEFAULT-VALUE}.")
    int samples;

    @Option(
            names = "--seqlen",
            paramLabel = "TOKENS",
            description = "Tokens per window of the file. Default: 2048, or the model's context if that is shorter.")
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
            names = "--refine",
            paramLabel = "N",
            defaultValue = "0",
            description = {
                "Refine tables, scales and codes by what they do to the layer's output, in at most N rounds; stops when the",
                "error on a held-out eighth of the calibration data rises. Works with and without --gptq, and takes a few",
                "times as long as that. Default: ${DEFAULT-VALUE}."
            })
    int refinements;

    /// Chooses codes as a recipe says, if there is one.
    void follow(@Nullable Recipe recipe) {
        if (recipe != null) {
            gptq = recipe.rounding().feedback();
            refinements = recipe.rounding().refinements();
        }
    }

    /// How codes are chosen.
    Rounding rounding() {
        return new Rounding(gptq, refinements);
    }

    /// A calibration with these options that is still to be run.
    ///
    /// @throws InvalidInputException if the options contradict the plan
    StatisticsSource announced(QuantizationPlan plan, CalibrationData data) {
        if (plan.quantizesInputs()) {
            if (sequential || rounding().usesHessian()) {
                throw new InvalidInputException(
                        "methods that quantize inputs too sample those of the original: leave out --gptq, --refine and --sequential");
            }
            return Calibration.announced(data, CalibrationMode.SAMPLES);
        }
        return rounding().usesHessian()
                ? Calibration.announced(data, rounding())
                : Calibration.announced(data, sequential);
    }

    /// The sequences to run a model on.
    CalibrationData data(Path model, int context, long seed) {
        int usual = Windows.usualLength(context);
        try (Tokenizer tokenizer = Tokenizer.load(model)) {
            return file == null
                    ? CalibrationData.builtIn(tokenizer, usual)
                    : CalibrationData.ofFile(file, tokenizer, samples, length == null ? usual : length, seed);
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
