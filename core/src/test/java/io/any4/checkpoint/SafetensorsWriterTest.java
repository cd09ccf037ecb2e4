package io.any4.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

class SafetensorsWriterTest {
    @TempDir
    Path directory;

    private static SequencedMap<String, Tensor> tensors() {
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("codes", Tensor.ofFloats(DType.U8, new float[] {1, 2, 255}, 3));
        tensors.put("half", Tensor.ofFloats(DType.F16, new float[] {1, -2}, 1, 2));
        tensors.put("weight", Tensor.ofFloats(DType.F32, new float[] {0.5f, -1, 3, 4}, 2, 2));
        tensors.put("scale", Tensor.ofFloats(DType.E8M0, new float[] {0.25f}, 1));
        tensors.put("ids", Tensor.ofFloats(DType.I64, new float[] {-3}, 1));
        tensors.put("brain", Tensor.ofFloats(DType.BF16, new float[] {1.5f}, 1));
        return tensors;
    }

    @Test
    void readsBackWhatWasWritten() {
        Path path = directory.resolve("a.safetensors");
        SafetensorsWriter.write(path, tensors(), Map.of("format", "pt", "note", "grüße"));
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.names())
                    .containsExactlyInAnyOrderElementsOf(tensors().keySet());
            assertThat(file.metadata()).isEqualTo(Map.of("format", "pt", "note", "grüße"));
            tensors().forEach((name, tensor) -> {
                Tensor read = file.tensor(name);
                assertThat(read.dtype()).isEqualTo(tensor.dtype());
                assertThat(read.shape()).isEqualTo(tensor.shape());
                assertThat(read.data().mismatch(tensor.data())).isEqualTo(-1);
            });
        }
    }

    /// The bytes are those of the Python library 0.8.0 for the same tensors; the header is padded to 8 bytes.
    @Test
    void writesTheBytesOfTheReferenceImplementation() throws IOException {
        Path path = directory.resolve("a.safetensors");
        SequencedMap<String, Tensor> tensors = new LinkedHashMap<>();
        tensors.put("b", Tensor.ofFloats(DType.U8, new float[] {1, 2, 3}, 3));
        tensors.put("a", Tensor.ofFloats(DType.F16, new float[] {1, -2}, 1, 2));
        tensors.put("c", Tensor.ofFloats(DType.F32, new float[] {0.5f}, 1));
        tensors.put("ä", Tensor.ofFloats(DType.I64, new float[] {-3}, 1));
        SafetensorsWriter.write(path, tensors, Map.of("format", "pt"));
        assertThat(HexFormat.of().formatHex(Files.readAllBytes(path))).isEqualTo(REFERENCE);
    }

    private static final String REFERENCE =
            "00010000000000007b225f5f6d657461646174615f5f223a7b22666f726d6174223a227074227d2c22c3a4223a7b226474797065223a22493634222c227368617065223a5b315d2c22646174615f6f666673657473223a5b302c385d7d2c2263223a7b226474797065223a22463332222c227368617065223a5b315d2c22646174615f6f666673657473223a5b382c31325d7d2c2261223a7b226474797065223a22463136222c227368617065223a5b312c325d2c22646174615f6f666673657473223a5b31322c31365d7d2c2262223a7b226474797065223a225538222c227368617065223a5b335d2c22646174615f6f666673657473223a5b31362c31395d7d7d2020202020fdffffffffffffff0000003f003c00c0010203";

    @Test
    void orderOfTensorsAndMetadataDoesNotChangeTheBytes() throws IOException {
        SafetensorsWriter.write(directory.resolve("a"), tensors(), Map.of("a", "1", "b", "2", "c", "3", "d", "4"));
        SafetensorsWriter.write(
                directory.resolve("b"), tensors().reversed(), Map.of("d", "4", "b", "2", "c", "3", "a", "1"));
        assertThat(directory.resolve("a")).hasSameBinaryContentAs(directory.resolve("b"));
    }

    @Test
    void everyTensorIsAligned() {
        Path path = directory.resolve("a.safetensors");
        SafetensorsWriter.write(path, tensors(), Map.of());
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            for (String name : file.names()) {
                Tensor tensor = file.tensor(name);
                assertThat(tensor.data().address() % tensor.dtype().bytes()).isZero();
            }
        }
    }

    @Test
    void writesHeapTensorsAndReplacesAFile() throws IOException {
        Path path = Files.writeString(directory.resolve("a.safetensors"), "old");
        Tensor heap = new Tensor(DType.F32, Shape.of(2), MemorySegment.ofArray(new float[] {1, 2}));
        SafetensorsWriter.write(path, new LinkedHashMap<>(Map.of("a", heap)), Map.of());
        try (SafetensorsFile file = SafetensorsFile.open(path)) {
            assertThat(file.tensor("a").toFloats()).containsExactly(1, 2);
        }
        assertThat(filesIn(directory)).containsExactly("a.safetensors");
    }

    @Test
    void aMissingDirectoryIsNamed() {
        Path path = directory.resolve("none/a.safetensors");
        assertThatThrownBy(() -> SafetensorsWriter.write(path, tensors(), Map.of()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("%s cannot be written: its directory does not exist: create it first".formatted(path));
    }

    @Test
    void aFailureLeavesTheOldFileAndNothingElse() throws IOException {
        Path path = Files.writeString(directory.resolve("a"), "old");
        assertThatThrownBy(() -> DurableFiles.replace(path, temporary -> {
                    Files.writeString(temporary, "half");
                    throw new IOException("No space left on device");
                }))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("%s cannot be written: no space is left on the disk: free some or choose another output"
                        .formatted(path));
        assertThat(path).hasContent("old");
        assertThat(filesIn(directory)).containsExactly("a");
    }

    /// `/dev/full` answers every write as a full disk does.
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsOneSentence() throws IOException {
        Path file = Files.createSymbolicLink(directory.resolve("model.safetensors"), Path.of("/dev/full"));
        CheckpointLayout layout = CheckpointLayout.plan(
                tensors().entrySet().stream()
                        .map(e -> TensorSpec.of(e.getKey(), e.getValue()))
                        .toList(),
                CheckpointLayout.DEFAULT_SHARD_BYTES,
                Map.of());
        assertThatThrownBy(() -> CheckpointWriter.open(directory, layout).close())
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("%s cannot be written: no space is left on the disk: free some or choose another output"
                        .formatted(file));
    }

    private static java.util.List<String> filesIn(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(path -> path.getFileName().toString()).sorted().toList();
        }
    }
}
