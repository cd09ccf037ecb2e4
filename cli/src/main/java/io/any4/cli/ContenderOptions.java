package io.any4.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/// The options of a comparison that quantizes the model itself.
final class ContenderOptions {
    @Option(
            names = "--methods",
            paramLabel = "LIST",
            split = ",",
            description = {
                "Quantize the model in these ways and compare the results: methods or recipes, and after each + an option of 'quantize' "
                        + "without its dashes, such as int4,any4+gptq,any4s+gptq+refine=3,paper.",
                "all: int4, nf4, fp4, LLM-FP4, AWQ and GPTQ, any4 as published ('paper'), any4, any4s and these with GPTQ, the best recipe; and at 3 bits."
            })
    List<String> methods = List.of();

    @Option(
            names = "--calibration",
            paramLabel = "FILE",
            description = "What to calibrate them on, as in 'quantize'; another text than the one to predict.")
    @Nullable
    String calibration;

    @Option(names = "--samples", paramLabel = "N", description = "Windows of that to take, as in 'quantize'.")
    @Nullable
    Integer samples;

    @Option(names = "--seqlen", paramLabel = "TOKENS", description = "Tokens per window of that, as in 'quantize'.")
    @Nullable
    Integer length;

    @Option(names = "--seed", paramLabel = "N", description = "Seed of everything random, as in 'quantize'.")
    @Nullable
    Long seed;

    @Option(
            names = {"-g", "--group-size"},
            paramLabel = "N",
            description = "Weights that share a scale in methods that usually have groups of 128, or 'row'.")
    @Nullable
    String groupSize;

    @Option(
            names = "--equal-bits",
            description =
                    "Groups of every method as small as the bits of any4 with groups of 128 allow, as in 'quantize'.")
    boolean equalBits;

    @Option(names = "--keep", paramLabel = "DIR", description = "Keep the quantized models in this new directory.")
    @Nullable
    Path keep;

    boolean isEmpty() {
        return methods.isEmpty();
    }

    /// Where the quantized models go.
    Workplace workplace() {
        return Workplace.open(keep);
    }

    /// Quantizes the model in all ways.
    List<Contest.Entry> quantize(Path model, Workplace workplace, Any4Command root) {
        List<Contender> contenders = Contender.parse(methods, groupSize);
        return Contender.quantize(contenders, model, common(), workplace, root);
    }

    private List<String> common() {
        List<String> options = new ArrayList<>();
        add(options, "--calibration", calibration);
        add(options, "--samples", samples);
        add(options, "--seqlen", length);
        add(options, "--seed", seed);
        if (equalBits) {
            options.add("--equal-bits");
        }
        return options;
    }

    private static void add(List<String> options, String name, @Nullable Object value) {
        if (value != null) {
            options.add(name);
            options.add(value.toString());
        }
    }

    /// What a reader of a report wants to know about how the models came about.
    void describe(Map<String, String> provenance) {
        if (!isEmpty()) {
            provenance.put("Calibration", calibration == null ? "the built-in prompt" : calibration);
            provenance.put("Seed", String.valueOf(seed == null ? 0 : seed));
        }
    }
}
