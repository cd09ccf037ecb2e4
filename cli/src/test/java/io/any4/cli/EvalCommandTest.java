package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class EvalCommandTest {
    @TempDir
    Path directory;

    private Path model;
    private Path data;

    @BeforeEach
    void writeInputs() throws IOException {
        model = TinyLlama.write(directory.resolve("model"));
        data = Files.createDirectory(directory.resolve("data"));
        Files.writeString(data.resolve("piqa.jsonl"), """
                {"goal": "Light", "sol1": "a lamp", "sol2": "a sea", "label": 0}
                {"goal": "Sail", "sol1": "a pot", "sol2": "a ship", "label": 1}
                {"goal": "Sit", "sol1": "a chair", "sol2": "a storm", "label": 0}
                """);
        Files.writeString(data.resolve("lambada.jsonl"), """
                {"text": "The ship lay still in the sea"}
                """);
    }

    @Test
    void everyNumberIsPrintedInTheOrderOfTheTasks() {
        Cli.Result table = Cli.run("eval", model, "--tasks", "piqa,lambada", "--data", data);
        assertThat(table.code()).as(table.err()).isZero();
        assertThat(table.out().lines()).hasSize(5);
        assertThat(table.out()).containsSubsequence("acc", "acc_norm", "lambada_openai", "perplexity", "acc");

        JsonNode results = json("eval", model, "--tasks", "piqa,lambada", "--data", data, "--limit", 2, "--json");
        assertThat(results).hasSize(4);
        assertThat(results.at("/0/documents").asInt()).isEqualTo(2);
        assertThat(results.at("/0/standardError").isNumber()).isTrue();
        assertThat(results.at("/2/standardError").isNull()).as("one document").isTrue();
        assertThat(results.at("/2/higherIsBetter").asBoolean()).isFalse();
    }

    @Test
    void theBatchSizeChangesNoNumber() {
        Object[] eval = {"eval", model, "--tasks", "piqa,lambada", "--data", data, "--json"};
        assertThat(json(with(eval, "--batch-size", 1))).isEqualTo(json(eval));
    }

    @Test
    void comparedModelsAnswerTheSameQuestions() throws IOException {
        Path quantized = directory.resolve("quantized");
        Path text = Files.writeString(directory.resolve("text.txt"), "The sea was calm. ".repeat(20));
        Path report = directory.resolve("report.html");
        assertThat(Cli.run("quantize", model, "-o", quantized, "-g", 16).code()).isZero();
        Object[] compare = {"compare", model, quantized, "--text", text, "--tasks", "piqa", "--data", data};
        Cli.Result table = Cli.run(with(compare, "--report", report));
        assertThat(table.code()).as(table.err()).isZero();
        assertThat(table.out()).containsPattern("piqa +acc +0\\.\\d{4} ± 0\\.\\d{4} +0\\.\\d{4} ± 0\\.\\d{4}");
        assertThat(report).content().contains("What they know", "piqa");
        assertThat(json(with(compare, "--json")).at("/1/tasks/0/documents").asInt())
                .isEqualTo(3);
    }

    @Test
    void whatIsMissingIsNamed() {
        refuse(2, "name the benchmarks", "eval", model, "--data", data);
        refuse(3, "there is no task 'pica'", "eval", model, "--tasks", "pica", "--data", data);
        refuse(3, "copa.validation.jsonl", "eval", model, "--tasks", "copa", "--data", data);
        refuse(3, "there is no train data of piqa", "eval", model, "--tasks", "piqa", "--data", data, "--shots", 1);
        refuse(3, "a limit of 0", "eval", model, "--tasks", "piqa", "--data", data, "--limit", 0);
        refuse(3, "a batch of 0", "eval", model, "--tasks", "piqa", "--data", data, "--batch-size", 0);
        refuse(3, "absent is not a directory", "eval", model, "--tasks", "piqa", "--data", directory.resolve("absent"));
    }

    private static void refuse(int code, String message, Object... command) {
        Cli.Result result = Cli.run(command);
        assertThat(result.code()).as(result.err()).isEqualTo(code);
        assertThat(result.err()).contains(message);
        assertThat(result.out()).isEmpty();
    }

    private static Object[] with(Object[] command, Object... more) {
        Object[] all = Arrays.copyOf(command, command.length + more.length);
        System.arraycopy(more, 0, all, command.length, more.length);
        return all;
    }

    private static JsonNode json(Object... command) {
        Cli.Result result = Cli.run(command);
        assertThat(result.code()).as(result.err()).isZero();
        return JsonMapper.shared().readTree(result.out());
    }
}
