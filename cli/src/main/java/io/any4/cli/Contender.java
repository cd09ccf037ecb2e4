package io.any4.cli;

import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// One way to quantize a model, as a list of them writes it: a method or recipe, and after each `+` an option of
/// `quantize` without its dashes, such as `int4`, `any4s+gptq`, `any4+kmeans=exact+group-size=64` or `best`.
///
/// @param name as written
/// @param options of `quantize`
record Contender(String name, List<String> options) {
    /// Stands for [#STANDARD].
    static final String ALL = "all";

    /// The methods that any4 is compared with, any4 as published, and what any4j makes of it; at 4 bits, then at 3.
    static final List<String> STANDARD = List.of(
            "int4",
            "nf4",
            "fp4",
            "fpq-w4a16",
            "fpq-w4a4",
            "int4+awq",
            "int4+gptq",
            "paper",
            "any4",
            "any4s",
            "any4+gptq",
            "any4s+gptq",
            "best",
            "int3",
            "int3+gptq",
            "any3+weighting=mean+kmeans=lloyd",
            "any3",
            "any3s",
            "any3+gptq",
            "any3s+gptq");

    private static final String GROUP_SIZE = "--group-size";
    private static final int USUAL_GROUP = 128;

    /// The entries of a list.
    ///
    /// @param groupSize for those that would have groups of 128; null to leave them
    /// @throws InvalidInputException if a method is unknown, or stands there twice
    static List<Contender> parse(List<String> list, @Nullable String groupSize) {
        List<String> entries = list.equals(List.of(ALL)) ? STANDARD : list;
        List<Contender> contenders = new ArrayList<>();
        for (String entry : entries) {
            if (contenders.stream().anyMatch(other -> other.name().equals(entry))) {
                throw new InvalidInputException("'%s' is in the list of methods twice: leave out one".formatted(entry));
            }
            contenders.add(of(entry, groupSize));
        }
        return contenders;
    }

    private static Contender of(String entry, @Nullable String groupSize) {
        String[] parts = entry.split("\\+", -1);
        List<String> options = new ArrayList<>();
        boolean usualGroups = start(parts[0], options).groupSize() == USUAL_GROUP;
        for (String option : Arrays.asList(parts).subList(1, parts.length)) {
            options.add("--" + option);
        }
        if (usualGroups && groupSize != null && options.stream().noneMatch(word -> word.startsWith(GROUP_SIZE))) {
            options.add(GROUP_SIZE + "=" + groupSize);
        }
        return new Contender(entry, options);
    }

    private static QuantizationSpec start(String name, List<String> options) {
        boolean method =
                Arrays.stream(Method.values()).anyMatch(known -> known.id().equals(name));
        for (Recipe recipe : Recipe.values()) {
            if (!method && recipe.toString().equals(name)) {
                options.addAll(List.of("--recipe", name));
                return recipe.spec();
            }
        }
        options.addAll(List.of("--method", name));
        return QuantizationSpec.of(Method.parse(name));
    }

    /// Quantizes a model in all these ways.
    ///
    /// @param common more options of `quantize`
    /// @param workplace where the outputs go, each into a directory of its own
    /// @param root whose options hold for all verbs
    static List<Contest.Entry> quantize(
            List<Contender> contenders, Path model, List<String> common, Workplace workplace, Any4Command root) {
        List<Contest.Entry> entries = new ArrayList<>();
        List<QuantizeCommand> commands = new ArrayList<>();
        for (Contender contender : contenders) {
            Path output = workplace.directory().resolve(contender.name());
            commands.add(contender.command(model, output, common, root));
            entries.add(new Contest.Entry(contender.name(), output));
        }
        for (int i = 0; i < commands.size(); i++) {
            Terminal.of(root)
                    .note("quantizing to %s (%d of %d)"
                            .formatted(contenders.get(i).name(), i + 1, commands.size()));
            commands.get(i).call();
        }
        return entries;
    }

    /// The command that quantizes a model this way.
    private QuantizeCommand command(Path model, Path output, List<String> common, Any4Command root) {
        List<String> words = new ArrayList<>(List.of("quantize", model.toString(), "-o", output.toString()));
        words.addAll(options);
        words.addAll(common);
        return QuantizeCommand.parse(words, root);
    }
}
