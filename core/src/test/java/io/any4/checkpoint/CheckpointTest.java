package io.any4.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CheckpointTest {
    @TempDir
    Path directory;

    private void writeTensors(String file, String... names) {
        LinkedHashMap<String, Tensor> tensors = new LinkedHashMap<>();
        for (String name : names) {
            tensors.put(name, Tensor.ofFloats(new float[] {1, 2}, 2));
        }
        SafetensorsWriter.write(directory.resolve(file), tensors, Map.of());
    }

    private void write(String file, String content) throws IOException {
        Files.writeString(directory.resolve(file), content);
    }

    @Test
    void opensASingleFile() throws IOException {
        writeTensors("model.safetensors", "b", "a");
        write("config.json", "{\"model_type\": \"llama\", \"limit\": Infinity}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.directory()).isEqualTo(directory);
            assertThat(checkpoint.names()).containsExactlyInAnyOrder("a", "b");
            assertThat(checkpoint.contains("a")).isTrue();
            assertThat(checkpoint.find("c")).isNull();
            assertThat(checkpoint.config().path("model_type").stringValue()).isEqualTo("llama");
            assertThatThrownBy(() -> checkpoint.tensor("c"))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("has no tensor c");
        }
    }

    @Test
    void opensShardsThroughTheIndex() throws IOException {
        writeTensors("x-1.safetensors", "a", "b");
        writeTensors("x-2.safetensors", "c");
        write(
                "model.safetensors.index.json",
                "{\"weight_map\": {\"c\": \"x-2.safetensors\", \"a\": \"x-1.safetensors\"}}");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThat(checkpoint.names()).containsExactly("c", "a");
            assertThat(checkpoint.tensor("c").toFloats()).containsExactly(1, 2);
            assertThat(checkpoint.find("b")).as("not in the index").isNull();
        }
    }

    @Test
    void aMissingDirectoryAndAFileAreToldApart() throws IOException {
        assertRejected(directory.resolve("none"), "does not exist: check the path");
        write("file", "");
        assertRejected(directory.resolve("file"), "is a file: name the directory");
    }

    @Test
    void sizesUpADirectoryWithoutSafetensors() throws IOException {
        assertRejected(directory, "holds no model.safetensors");
        write("pytorch_model.bin", "");
        assertRejected(directory, "holds only pickle files (pytorch_model.bin)");
        write("adapter_model.safetensors", "");
        assertRejected(directory, "holds adapter_model.safetensors but neither model.safetensors nor");
    }

    @Test
    void aMissingShardIsNamed() throws IOException {
        write("model.safetensors.index.json", "{\"weight_map\": {\"a\": \"x-1.safetensors\"}}");
        assertRejected(directory, "shard x-1.safetensors is missing in " + directory);
    }

    @Test
    void aTensorThatItsShardDoesNotHoldIsNamed() throws IOException {
        writeTensors("x-1.safetensors", "a");
        write("model.safetensors.index.json", "{\"weight_map\": {\"b\": \"x-1.safetensors\"}}");
        assertRejected(directory, "places tensor b in x-1.safetensors, which does not hold it");
    }

    @ParameterizedTest
    @ValueSource(strings = {"{}", "{\"weight_map\": {}}", "{\"weight_map\": [1]}"})
    void anIndexWithoutAMapIsRejected(String index) throws IOException {
        write("model.safetensors.index.json", index);
        assertRejected(directory, "has no weight_map");
    }

    @ParameterizedTest
    @ValueSource(strings = {"\"../x\"", "\"/etc/passwd\"", "\"..\"", "\"a\\\\b\"", "\"\"", "7"})
    void anIndexMayNotLeadElsewhere(String shard) throws IOException {
        write("model.safetensors.index.json", "{\"weight_map\": {\"a\": %s}}".formatted(shard));
        assertRejected(directory, "is not the name of a file beside it");
    }

    @Test
    void aMissingOrMalformedConfigurationIsNamed() throws IOException {
        writeTensors("model.safetensors", "a");
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            assertThatThrownBy(checkpoint::config)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining(directory + " has no config.json");
            write("config.json", "{\"a\": ");
            assertThatThrownBy(checkpoint::config)
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("config.json is not valid JSON");
            write("config.json", "[]");
            assertThatThrownBy(checkpoint::config).hasMessageContaining("must be a JSON object");
        }
    }

    @Test
    void carriesOverWhatBelongsToTheTokenizerAndTheLicence() throws IOException {
        for (String name : new String[] {
            "config.json", "model.safetensors", "README.md", "tokenizer.json", "tokenizer.model",
            "tokenizer_config.json", "chat_template.jinja", "generation_config.json", "LICENSE.txt", "heldout.txt"
        }) {
            write(name, "");
        }
        Files.createDirectory(directory.resolve("tokenizer"));
        assertThat(HuggingFaceFiles.carriedOver(directory))
                .extracting(path -> path.getFileName().toString())
                .containsExactly(
                        "LICENSE.txt",
                        "chat_template.jinja",
                        "generation_config.json",
                        "tokenizer.json",
                        "tokenizer.model",
                        "tokenizer_config.json");
    }

    private static void assertRejected(Path directory, String complaint) {
        assertThatThrownBy(() -> Checkpoint.open(directory).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(complaint)
                .hasMessageNotContaining("\n");
    }
}
