package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class BenchCommandTest {
    @TempDir
    Path directory;

    private Path model;

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyLlama.write(directory.resolve("tiny"));
    }

    private Cli.Result bench(Object... options) {
        Object[] command = new Object[options.length + 8];
        Object[] fixed = {"bench", model, "--prompt-tokens", 8, "--generated-tokens", 4, "--repetitions", 2};
        System.arraycopy(fixed, 0, command, 0, fixed.length);
        System.arraycopy(options, 0, command, fixed.length, options.length);
        return Cli.run(command);
    }

    @Test
    void printsATableByDefault() {
        Cli.Result result = bench();
        assertThat(result.code()).as(result.err()).isZero();
        assertThat(result.out()).contains("| tiny | pp8 |", "| tiny | tg4 |", "first token after");
    }

    @Test
    void printsJsonAndCsvWithTheSameValues() {
        JsonNode json = JsonMapper.shared().readTree(bench("--format", "json").out());
        assertThat(json.get("pp_tokens").asInt()).isEqualTo(8);
        assertThat(json.get("tg_per_second").asDouble()).isPositive();
        String[] lines = bench("--format", "csv").out().lines().toArray(String[]::new);
        assertThat(lines).hasSize(2);
        assertThat(lines[0].split(",")).containsExactlyElementsOf(json.propertyNames());
        assertThat(lines[1]).startsWith("\"tiny\",\"cpu: ");
    }

    @Test
    void severalSequencesAtOnceAreTestsOfTheirOwn() {
        Cli.Result table = bench("--batch", "1,2,3");
        assertThat(table.code()).as(table.err()).isZero();
        assertThat(table.out()).contains("| tiny | tg4 |", "| tiny | tg4 x 2 |", "| tiny | tg4 x 3 |");
        JsonNode json = JsonMapper.shared()
                .readTree(bench("--batch", "2", "--format", "json").out());
        assertThat(json.get("tg_batch2_tokens").asInt()).isEqualTo(8);
        assertThat(json.get("tg_batch2_per_second").asDouble()).isPositive();
        assertThat(Cli.run("bench", model, "--batch", "2,0").err()).contains("--batch must be 1 or more, not 0");
    }

    @Test
    void refusesNothingToMeasure() {
        Cli.Result result = Cli.run("bench", model, "--repetitions", 0);
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).contains("--repetitions must be 1 or more, not 0");
    }

    @Test
    void refusesMoreTokensThanTheContextHas() {
        Cli.Result result = Cli.run("bench", model, "--prompt-tokens", TinyLlama.CONTEXT + 1);
        assertThat(result.code()).isNotZero();
        assertThat(result.err()).contains("context");
    }
}
