package io.any4.cli;

import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/// The options that say how a weight is quantized.
final class SpecOptions {
    @Spec(Target.MIXEE)
    @SuppressWarnings("NullAway.Init")
    CommandSpec verb;

    @Option(
            names = {"-m", "--method"},
            paramLabel = "NAME",
            defaultValue = "any4",
            description =
                    "Number format: any4, any3, any2 (tables learned per row), any4s, any3s, any2s (tables and signed byte "
                            + "scales learned together), nf4, fp4, fp4-e2m1, mx4 (fixed tables), fpq-w4a16 (4-bit floats "
                            + "with searched formats and ranges), fpq-w4a8, fpq-w4a4 (the same with inputs rounded to 8- or 4-bit "
                            + "floats, simulated), int8, int4, int3, int2. "
                            + "Default: ${DEFAULT-VALUE}.")
    @SuppressWarnings("NullAway.Init")
    String method;

    @Option(
            names = {"-g", "--group-size"},
            paramLabel = "N",
            description =
                    "Weights that share a scale, such as 32, 64, 128, 256, or 'row'. Default: 128, 32 for mx4 and any*s, row for fpq-*.")
    @Nullable
    String groupSize;

    @Option(
            names = "--kmeans",
            paramLabel = "HOW",
            description =
                    "How any* tables are learned: fast (within a fraction of a percent of the optimum), exact, or lloyd "
                            + "(k-means++ and Lloyd's algorithm, as in the paper; lloyd-random, lloyd-int and lloyd-nf start it from "
                            + "random values, even levels and those of nf4). Default: fast.")
    @Nullable
    String kmeans;

    @Option(
            names = "--weighting",
            paramLabel = "WHAT",
            description =
                    "What the error of a weight counts by in any* formats: second-moment of its input (with the squared scale), "
                            + "mean-abs, mean (with the scale, as the paper's code), mean-unscaled, none. Default: second-moment.")
    @Nullable
    String weighting;

    @Option(
            names = "--table",
            paramLabel = "SCOPE",
            description = "Learn an any* table per row or per matrix. Default: row.")
    @Nullable
    String table;

    @Option(names = "--symmetric", description = "Store no zeros: levels lie around 0.")
    boolean symmetric;

    @Option(
            names = "--zero-point",
            paramLabel = "TYPE",
            description = "Zeros of int formats: float, or integer as AWQ and GPTQ store them. Default: float.")
    @Nullable
    String zeroPoint;

    @Option(
            names = "--scale-dtype",
            paramLabel = "TYPE",
            description = "Type of scales, zeros and tables: f16, bf16, f32. Default: f16, and bf16 for any*s.")
    @Nullable
    String scaleType;

    /// The specification the options describe.
    ///
    /// @param recipe where to start from instead of the method, or null
    /// @throws ParameterException if they contradict each other or name something unknown
    QuantizationSpec spec(@Nullable Recipe recipe, long seed) {
        try {
            QuantizationSpec spec = recipe == null ? QuantizationSpec.of(Method.parse(method)) : recipe.spec();
            spec = spec.with("seed", String.valueOf(seed));
            for (Map.Entry<String, String> setting : settings().entrySet()) {
                spec = spec.with(setting.getKey(), setting.getValue());
            }
            return spec;
        } catch (InvalidInputException e) {
            throw new ParameterException(verb.commandLine(), String.valueOf(e.getMessage()), e);
        }
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new LinkedHashMap<>();
        put(settings, "group-size", groupSize);
        put(settings, "kmeans", kmeans);
        put(settings, "weighting", weighting);
        put(settings, "table", table);
        put(settings, "symmetric", symmetric ? "true" : null);
        put(settings, "zero-point", zeroPoint);
        put(settings, "metadata", scaleType);
        return settings;
    }

    private static void put(Map<String, String> settings, String key, @Nullable String value) {
        if (value != null) {
            settings.put(key, value);
        }
    }
}
