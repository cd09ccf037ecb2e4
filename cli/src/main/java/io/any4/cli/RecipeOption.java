package io.any4.cli;

import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.TypeConversionException;

/// The option that chooses a method and all its settings by one name.
final class RecipeOption {
    /// What a recipe decides.
    private static final List<String> DECIDED = List.of(
            "--method",
            "--kmeans",
            "--weighting",
            "--table",
            "--symmetric",
            "--zero-point",
            "--sequential",
            "--gptq",
            "--gptaq",
            "--refine",
            "--rotate",
            "--awq",
            "--bits");

    @Option(
            names = "--recipe",
            paramLabel = "NAME",
            completionCandidates = Names.class,
            converter = Names.class,
            description = {
                "Method and settings by one name, in order of accuracy and time:",
                "paper: any4 as published; about as fast as exact.",
                "exact: any4, tables solved exactly; several times as long as the usual, fast tables.",
                "any4s: tables and byte scales fitted together, in groups as small as the bits of any4 allow, short rows with one "
                        + "table for all; about twice as long as usual any4.",
                "any4s-gptq: the same and error feedback; lets the model write 32,768 tokens to calibrate on unless --calibration "
                        + "names a text, and runs it on them about five times: minutes for a small model, an hour for one of a "
                        + "billion weights, and as long again to write the text.",
                "best: the same and up to three rounds of refinement; two to four times as long as any4s-gptq."
            })
    @Nullable
    Recipe recipe;

    /// @throws ParameterException if an option was given that the recipe decides
    void requireAlone(CommandSpec verb) {
        ParseResult given = verb.commandLine().getParseResult();
        if (recipe == null) {
            return;
        }
        for (String option : DECIDED) {
            if (given.hasMatchedOption(option)) {
                throw new ParameterException(
                        verb.commandLine(),
                        "--recipe %s decides %s: leave out one of the two".formatted(recipe, option));
            }
        }
    }

    /// Recipes by the names users write.
    static final class Names implements ITypeConverter<Recipe>, Iterable<String> {
        private static Stream<String> names() {
            return Arrays.stream(Recipe.values()).map(Recipe::toString);
        }

        @Override
        public Recipe convert(String name) {
            for (Recipe recipe : Recipe.values()) {
                if (recipe.toString().equals(name)) {
                    return recipe;
                }
            }
            throw new TypeConversionException(
                    "there is no recipe '%s': choose from %s".formatted(name, String.join(", ", names().toList())));
        }

        @Override
        public Iterator<String> iterator() {
            return names().iterator();
        }
    }
}
