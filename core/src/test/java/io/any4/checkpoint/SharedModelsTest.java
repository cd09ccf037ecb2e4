package io.any4.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Checkpoints and reference files that other programs have written.
@Tag("shared")
class SharedModelsTest {
    @TempDir
    Path directory;

    private static Path shared() {
        String path = System.getProperty("any4.shared");
        assertThat(path).as("run with -Pshared, or with -Dany4.shared=DIR").isNotBlank();
        assertThat(Path.of(path)).as("the reference data").isDirectory();
        return Path.of(path);
    }

    static Stream<Path> files() throws IOException {
        try (Stream<Path> files = Files.walk(shared())) {
            return files.filter(file -> file.toString().endsWith(".safetensors")).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("files")
    void everyFileIsReadAndWrittenBackUnchanged(Path path) {
        Path copy = directory.resolve("copy.safetensors");
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
            file.names().forEach(name -> tensors.put(name, file.tensor(name)));
            SafetensorsWriter.write(copy, tensors, file.metadata());
            try (SafetensorsFile read = SafetensorsFile.open(copy)) {
                assertThat(read.names()).containsExactlyInAnyOrderElementsOf(file.names());
                assertThat(read.metadata()).isEqualTo(file.metadata());
                tensors.forEach((name, tensor) -> {
                    assertThat(read.tensor(name).shape()).isEqualTo(tensor.shape());
                    assertThat(read.tensor(name).dtype()).isEqualTo(tensor.dtype());
                    assertThat(read.tensor(name).data().mismatch(tensor.data())).isEqualTo(-1);
                });
            }
        }
    }

    static Stream<Path> models() throws IOException {
        try (Stream<Path> files = Files.walk(shared().resolve("models"))) {
            return files.filter(file -> file.endsWith("config.json")).map(Path::getParent).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyModelOpens(Path model) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            assertThat(checkpoint.config().path("model_type").stringValue()).isNotBlank();
            assertThat(checkpoint.names()).contains("model.embed_tokens.weight");
            checkpoint
                    .names()
                    .forEach(name ->
                            assertThat(checkpoint.tensor(name).elements()).isPositive());
        }
    }
}
