package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import tools.jackson.databind.json.JsonMapper;

/// Methods by one name, and the table of what each choice is worth.
class RecipeTest {
    /// What fits into the bits that any4 spends on rows of 32 and 48 weights.
    private static final String GROUPS =
            "--override *_proj=table=matrix,group-size=1 " + "--override *.down_proj=table=matrix,group-size=2";

    @TempDir
    Path directory;

    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyLlama.write(directory.resolve("model"));
    }

    @ParameterizedTest
    @CsvSource({
        "paper, -m any4 --weighting mean --kmeans lloyd",
        "exact, -m any4 --kmeans exact",
        "any4s, '-m any4s " + GROUPS + "'",
        "any4s-gptq, '-m any4s --gptq --calibration self " + GROUPS + "'",
        "best, '-m any4s --gptq --refine 3 --calibration self " + GROUPS + "'"
    })
    void aRecipeIsWhatItsOptionsAre(String recipe, String options) throws IOException {
        Path named = directory.resolve("named");
        Path spelled = directory.resolve("spelled");
        String few = "--samples 4 --seqlen 20";
        String byName = "quantize %s -o %s --recipe %s %s".formatted(model, named, recipe, few);
        assertThat(Cli.run((Object[]) byName.split(" ")).err()).doesNotContain("any4j:");
        String[] words = "quantize %s -o %s %s %s"
                .formatted(model, spelled, options, few)
                .split(" ");
        assertThat(Cli.run((Object[]) words).code()).isZero();
        for (String file : new String[] {"config.json", "model.safetensors"}) {
            assertThat(named.resolve(file)).hasSameBinaryContentAs(spelled.resolve(file));
        }
    }

    @Test
    void noRecipeTakesMoreBitsThanAny4OrManyLess() throws IOException {
        JsonMapper json = JsonMapper.shared();
        double any4 = 0;
        for (Recipe recipe : Recipe.values()) {
            Cli.Result dry = Cli.run(
                    "quantize", model, "-o", directory.resolve("out"), "--recipe", recipe, "--dry-run", "--json");
            double bits = json.readTree(dry.out()).get("bitsPerWeight").asDouble();
            any4 = recipe == Recipe.PAPER ? bits : any4;
            assertThat(bits).as(recipe.toString()).isBetween(0.9 * any4, any4);
        }
    }

    @ParameterizedTest
    @CsvSource({"int4", "nf4", "fp4", "mx4", "any4s", "'any4 --table matrix'", "fpq-w4a16"})
    void everyMethodCanTakeTheBitsOfAny4(String method) throws IOException {
        double any4 = bits("any4");
        assertThat(bits(method)).isLessThan(any4).isNotCloseTo(bits(method + " --equal-bits"), within(0.1));
        assertThat(bits(method + " --equal-bits")).isBetween(0.8 * any4, any4);
        assertThat(bits("any4 --equal-bits")).isEqualTo(any4);
        assertThat(bits("fpq-w4a4 --equal-bits")).isEqualTo(bits("fpq-w4a4"));
        assertThat(bits(method + " --equal-bits -g 16")).isEqualTo(bits(method + " -g 16"));
    }

    private double bits(String options) throws IOException {
        String command = "quantize %s -o %s --dry-run --json -m %s".formatted(model, directory.resolve("out"), options);
        Cli.Result result = Cli.run((Object[]) command.split(" "));
        assertThat(result.code()).as(result.err()).isZero();
        return JsonMapper.shared().readTree(result.out()).get("bitsPerWeight").asDouble();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "--method int4",
                "-m any4",
                "--gptq",
                "--gptaq",
                "--refine 2",
                "--kmeans fast",
                "--weighting none",
                "--rotate",
                "--awq",
                "--bits 4.5",
                "--sequential",
                "--zero-point integer"
            })
    void aRecipeAndAnOptionThatItDecidesAreRefused(String option) {
        String command = "quantize %s -o %s --recipe best %s".formatted(model, directory.resolve("out"), option);
        Cli.Result result = Cli.run((Object[]) command.split(" "));
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).contains("--recipe best decides --").contains("leave out one of the two");
        assertThat(directory.resolve("out")).doesNotExist();
    }

    @Test
    void anUnknownRecipeIsAnsweredWithTheKnownOnes() {
        Cli.Result result = Cli.run("quantize", model, "-o", directory.resolve("out"), "--recipe", "worst");
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).contains("paper, exact, any4s, any4s-gptq, best");
    }

    @Test
    void ablationChangesOneChoiceAtATime() throws IOException {
        Path text = Files.writeString(directory.resolve("text.txt"), "A plain text. ".repeat(40));
        Cli.Result result = Cli.run("ablate", model, "--text", text, "--calibration", text, "--samples", 3);
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out().lines().map(line -> line.split("  ")[0]))
                .contains("original", "as published", "weights only", "x activations", "groups of 1024")
                .contains("k-means: exact", "k-means++: seed 2", "k-means: random start", "k-means: int4 start");
        assertThat(result.out()).contains("calibration: ");
    }
}
