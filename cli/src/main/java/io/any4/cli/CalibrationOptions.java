package io.any4.cli;

import io.any4.calibrate.Calibration;
import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.CalibrationListener;
import io.any4.calibrate.CalibrationMode;
import io.any4.calibrate.QuantizationPlan;
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

    /// @throws InvalidInputException if the options contradict the plan
    CalibrationMode mode(QuantizationPlan plan) {
        if (plan.quantizesInputs() && (gptq || sequential)) {
            throw new InvalidInputException(
                    "methods that quantize inputs too sample those of the original: leave out --gptq and --sequential");
        }
        return plan.quantizesInputs() ? CalibrationMode.SAMPLES : mode();
    }

    private CalibrationMode mode() {
        return gptq ? CalibrationMode.GPTQ : sequential ? CalibrationMode.SEQUENTIAL : CalibrationMode.ONE_PASS;
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
    static StatisticsSource run(CalibrationMode mode, Decoder decoder, CalibrationData data, Terminal terminal) {
        return mode == CalibrationMode.ONE_PASS
                ? Quantization.calibrate(decoder, data, terminal)
                : Calibration.run(mode, decoder, data, CalibrationListener.NONE);
    }
}
