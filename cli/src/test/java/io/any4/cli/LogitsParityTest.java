package io.any4.cli;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.SafetensorsFile;
import io.any4.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `any4j logits` against logits that transformers recorded.
@Tag("shared")
class LogitsParityTest {
    @TempDir
    Path directory;

    /// The models were cast to their 16-bit type as a whole before their logits were recorded.
    @ParameterizedTest
    @CsvSource({
        "llama2, f16",
        "llama3.1, bf16",
        "llama3.2-tied, bf16",
        "mistral-sliding, bf16",
        "mixtral, bf16",
        "qwen2, bf16",
        "qwen3, bf16"
    })
    void theVerbWritesWhatTransformersComputes(String model, String ropeType) {
        assertThat(System.getProperty("any4.shared")).as("-Dany4.shared").isNotNull();
        Path folder = Path.of(System.getProperty("any4.shared"), "models", "parity", model);
        assertThat(Files.exists(folder)).as("%s exists", folder).isTrue();
        Path output = directory.resolve("out.safetensors");
        try (SafetensorsFile reference = SafetensorsFile.open(folder.resolve("reference.safetensors"))) {
            Tensor ids = reference.tensor("input_ids");
            int length = Math.toIntExact(ids.shape().dim(1));
            String list = IntStream.range(0, length)
                    .mapToObj(i -> Integer.toString((int) ids.getFloat(i)))
                    .collect(Collectors.joining(","));
            Cli.Result result = Cli.run("logits", folder, "--ids", list, "-o", output, "--rope-dtype", ropeType);
            assertThat(result.code()).as(result.err()).isZero();
            try (SafetensorsFile written = SafetensorsFile.open(output)) {
                assertClose(written.tensor("logits"), reference.tensor("logits"));
            }
        }
    }

    private static void assertClose(Tensor actual, Tensor expected) {
        double largest = 0;
        double difference = 0;
        for (long i = 0; i < actual.elements(); i++) {
            largest = Math.max(largest, Math.abs(expected.getFloat(i)));
            difference = Math.max(difference, Math.abs(expected.getFloat(i) - actual.getFloat(i)));
        }
        assertThat(difference).isLessThan(2e-5 * largest);
    }

    @Test
    void refusesAnUnknownType() {
        Cli.Result result = Cli.run("logits", directory, "--ids", "1", "-o", "x", "--rope-dtype", "f8");
        assertThat(result.code()).isEqualTo(2);
        assertThat(result.err()).contains("--rope-dtype can be");
    }
}
