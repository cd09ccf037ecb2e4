package io.any4.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CheckpointWriterTest {
    @TempDir
    Path directory;

    private static final SequencedMap<String, Tensor> TENSORS = new LinkedHashMap<>();

    static {
        for (int i = 0; i < 5; i++) {
            TENSORS.put("t" + i, Tensor.ofFloats(new float[] {i, i, i, i}, 4));
        }
        TENSORS.put("large", Tensor.ofFloats(DType.BF16, new float[40], 40));
    }

    private static Tensor tensor(String name) {
        return Objects.requireNonNull(TENSORS.get(name));
    }

    private static CheckpointLayout layout(long shardBytes) {
        List<TensorSpec> specs = TENSORS.entrySet().stream()
                .map(entry -> TensorSpec.of(entry.getKey(), entry.getValue()))
                .toList();
        return CheckpointLayout.plan(specs, shardBytes, Map.of("format", "pt"));
    }

    private Path write(String name, CheckpointLayout layout, List<String> order) throws IOException {
        Path target = Files.createDirectory(directory.resolve(name));
        try (CheckpointWriter writer = CheckpointWriter.open(target, layout)) {
            for (String tensor : order) {
                writer.write(tensor, tensor(tensor));
            }
            writer.force();
        }
        return target;
    }

    @Test
    void oneShardIsOneFileWithoutAnIndex() throws IOException {
        CheckpointLayout layout = layout(CheckpointLayout.DEFAULT_SHARD_BYTES);
        Path target = write("one", layout, List.copyOf(TENSORS.keySet()));
        assertThat(names(target)).containsExactly("model.safetensors");
        assertThat(bytes(target)).isEqualTo(layout.bytes());
        assertHolds(target);
    }

    @Test
    void shardsAreCutAtTheLimitAndIndexed() throws IOException {
        CheckpointLayout layout = layout(32);
        Path target = write("sharded", layout, List.copyOf(TENSORS.keySet()));
        assertThat(names(target))
                .containsExactly(
                        "model-00001-of-00004.safetensors",
                        "model-00002-of-00004.safetensors",
                        "model-00003-of-00004.safetensors",
                        "model-00004-of-00004.safetensors",
                        "model.safetensors.index.json");
        assertThat(bytes(target)).isEqualTo(layout.bytes());
        assertThat(target.resolve("model.safetensors.index.json")).hasContent("""
                        {
                          "metadata": {
                            "total_size": 160
                          },
                          "weight_map": {
                            "large": "model-00004-of-00004.safetensors",
                            "t0": "model-00001-of-00004.safetensors",
                            "t1": "model-00001-of-00004.safetensors",
                            "t2": "model-00002-of-00004.safetensors",
                            "t3": "model-00002-of-00004.safetensors",
                            "t4": "model-00003-of-00004.safetensors"
                          }
                        }
                        """);
        assertHolds(target);
    }

    @Test
    void neitherOrderNorInterruptionChangesTheBytes() throws IOException {
        Path forward = write("forward", layout(32), List.copyOf(TENSORS.keySet()));
        Path backward = write("backward", layout(32), new ArrayList<>(TENSORS.keySet()).reversed());
        Path interrupted = Files.createDirectory(directory.resolve("interrupted"));
        for (String name : TENSORS.keySet()) {
            try (CheckpointWriter writer = CheckpointWriter.open(interrupted, layout(32))) {
                writer.write(name, TENSORS.get(name));
                writer.force();
            }
        }
        for (String file : names(forward)) {
            assertThat(backward.resolve(file)).hasSameBinaryContentAs(forward.resolve(file));
            assertThat(interrupted.resolve(file)).hasSameBinaryContentAs(forward.resolve(file));
        }
    }

    @Test
    void aTensorThatWasNotAnnouncedIsRefused() throws IOException {
        try (CheckpointWriter writer = CheckpointWriter.open(directory, layout(32))) {
            assertThatThrownBy(() -> writer.write("none", tensor("t0"))).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> writer.write("t0", tensor("large")))
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("announced as F32 [4]");
        }
    }

    private static void assertHolds(Path target) {
        try (Checkpoint checkpoint = Checkpoint.open(target)) {
            assertThat(checkpoint.names()).containsExactlyInAnyOrderElementsOf(TENSORS.keySet());
            assertThat(checkpoint.metadata()).isEqualTo(Map.of("format", "pt"));
            TENSORS.forEach((name, tensor) ->
                    assertThat(checkpoint.tensor(name).toFloats()).isEqualTo(tensor.toFloats()));
        }
    }

    private static List<String> names(Path target) throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }

    private static long bytes(Path target) throws IOException {
        try (Stream<Path> files = Files.list(target)) {
            return files.mapToLong(path -> path.toFile().length()).sum();
        }
    }
}
