package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Objects;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class QuantizationFailureTest {
    private static final QuantizationSettings SETTINGS =
            QuantizationSettings.of(QuantizationSpec.parse("any4,group-size=32"));

    @TempDir
    Path directory;

    private final Team team = new Team(2);
    private Path model = Path.of("");
    private Path output = Path.of("");

    /// What Ctrl-C or a crash look like from inside.
    private static final class Killed extends RuntimeException {}

    @BeforeEach
    void writeModel() throws IOException {
        model = TinyCheckpoint.write(directory.resolve("model"));
        output = directory.resolve("out");
    }

    @AfterEach
    void endTeam() {
        team.close();
    }

    private QuantizationResult run(Path target, QuantizationSettings settings, JobListener listener) {
        try (Checkpoint checkpoint = Checkpoint.open(model)) {
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
            return QuantizationJob.run(plan, target, StatisticsSource.NONE, team, listener);
        }
    }

    private void interruptAt(int index) {
        assertThatThrownBy(() -> run(output, SETTINGS, progress -> {
                    if (progress.index() == index) {
                        throw new Killed();
                    }
                }))
                .isInstanceOf(Killed.class);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 10, 11, 20, 29})
    void anInterruptedRunGoesOn(int index) throws IOException {
        Path whole = directory.resolve("whole");
        QuantizationResult expected = run(whole, SETTINGS, JobListener.NONE);
        interruptAt(index);
        assertThat(Directories.names(directory)).containsExactly(".out.partial", "model", "whole");
        int[] rowsQuantized = new int[1];
        QuantizationResult result = run(output, SETTINGS, progress -> {
            if (progress.index() > 9 && progress.rowsDone() == progress.rows()) {
                rowsQuantized[0]++;
            }
        });
        assertThat(rowsQuantized[0]).as("modules of the second run").isEqualTo(Math.min(20, 30 - index));
        assertThat(result.errors()).isEqualTo(expected.errors());
        Directories.assertSame(output, whole);
        assertThat(Directories.names(directory)).containsExactly("model", "out", "whole");
    }

    @Test
    void theTimeOfAnInterruptedRunCounts() throws IOException {
        interruptAt(20);
        Path journal = directory.resolve(".out.partial/journal");
        String[] last = Files.readAllLines(journal).getLast().split("\t", -1);
        last[last.length - 2] = "1000.0";
        last[last.length - 1] = "2000.0";
        Files.writeString(journal, String.join("\t", last) + "\n", StandardOpenOption.APPEND);
        QuantizationTime time = run(output, SETTINGS, JobListener.NONE).time();
        assertThat(time.seconds()).isBetween(1000.0, 1100.0);
        assertThat(time.cpuSeconds()).isBetween(2000.0, 2200.0);
    }

    /// A process may die between any two bytes: the journal ends in the middle of a line, a tensor in its middle.
    @Test
    void halfWrittenLinesAndTensorsAreDoneAgain() throws IOException {
        Path whole = directory.resolve("whole");
        run(whole, SETTINGS, JobListener.NONE);
        interruptAt(13); // v_proj, which lies last in the file of all that is written, is finished last
        Path journal = directory.resolve(".out.partial/journal");
        byte[] bytes = Files.readAllBytes(journal);
        Files.write(journal, java.util.Arrays.copyOf(bytes, bytes.length - 7));
        try (RandomAccessFile file = new RandomAccessFile(
                directory.resolve(".out.partial/checkpoint/model.safetensors").toFile(), "rw")) {
            file.setLength(file.length() - 1);
        }
        run(output, SETTINGS, JobListener.NONE);
        Directories.assertSame(output, whole);
    }

    @Test
    void anotherPlanDoesNotContinueTheRun() throws IOException {
        interruptAt(15);
        QuantizationSettings other = SETTINGS.withHead(true);
        assertThatThrownBy(() -> run(output, other, JobListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining(".out.partial holds an interrupted run with other settings or another input");
        assertThat(Directories.names(directory)).containsExactly(".out.partial", "model");
        run(output, SETTINGS, JobListener.NONE);
        assertThat(output).isDirectory();
    }

    @Test
    void anotherInputDoesNotContinueTheRun() throws IOException {
        interruptAt(15);
        Files.setLastModifiedTime(
                model.resolve("model.safetensors"), java.nio.file.attribute.FileTime.fromMillis(1_000_000));
        assertThatThrownBy(() -> run(output, SETTINGS, JobListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("another input");
    }

    @Test
    void leftoversWithoutACheckpointAreNotContinued() throws IOException {
        Files.createDirectories(directory.resolve(".out.partial"));
        Files.writeString(
                directory.resolve(".out.partial/journal"), "other plan\nmodel.layers.0.x\t1\t2\t3\t4\t5\t6\n");
        run(output, SETTINGS, JobListener.NONE);
        assertThat(Directories.names(directory)).containsExactly("model", "out");
    }

    @Test
    void twoRunsDoNotShareAnOutput() {
        assertThatThrownBy(() -> run(output, SETTINGS, _ -> run(output, SETTINGS, JobListener.NONE)))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("another run is writing " + output);
    }

    @ParameterizedTest
    @CsvSource({
        "model.layers.1.self_attn.k_proj.weight, NaN",
        "model.layers.0.block_sparse_moe.experts.1.w2.weight, Infinity",
        "model.embed_tokens.weight, NaN",
        "model.norm.weight, -Infinity"
    })
    void weightsThatAreNotFiniteAreLocated(String name, float value) throws IOException {
        SequencedMap<String, Tensor> tensors = TinyCheckpoint.tensors();
        Tensor tensor = Objects.requireNonNull(tensors.get(name));
        tensor.setFloat(7 * tensor.columns(), value);
        TinyCheckpoint.write(model, tensors);
        assertThatThrownBy(() -> run(output, SETTINGS, JobListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tensor " + name)
                .hasMessageContaining("row 7, column 0")
                .hasMessageContaining(String.valueOf(value))
                .hasMessageNotContaining("\n");
        assertThat(Directories.names(directory)).as("nothing is left behind").containsExactly("model");
    }

    /// `/dev/full` answers every write as a full disk does.
    @Test
    @EnabledOnOs(OS.LINUX)
    void aFullDiskIsOneSentenceAndNoOutput() throws IOException {
        Path work = Files.createDirectories(directory.resolve(".out.partial/checkpoint"));
        Path file = Files.createSymbolicLink(work.resolve("model.safetensors"), Path.of("/dev/full"));
        assertThatThrownBy(() -> run(output, SETTINGS, JobListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("%s cannot be written: no space is left on the disk: free some or choose another output"
                        .formatted(file));
        assertThat(Directories.names(directory)).containsExactly(".out.partial", "model");
        Files.delete(file);
        run(output, SETTINGS, JobListener.NONE);
        assertThat(Directories.names(directory)).as("space was freed").containsExactly("model", "out");
    }

    /// The embeddings of this model are one byte longer than what the disk has left; the file itself is a hole.
    @Test
    void aDiskThatIsTooSmallIsNoticedBeforehand() throws IOException {
        long size = Files.getFileStore(directory).getUsableSpace() + (1L << 30) & -2L;
        String header = """
                {"model.embed_tokens.weight":{"dtype":"BF16","shape":[%d,1],"data_offsets":[0,%d]},\
                "model.layers.0.x.weight":{"dtype":"F32","shape":[1,1],"data_offsets":[%d,%d]}}""".formatted(size / 2, size, size, size + 4);
        byte[] json = header.getBytes(StandardCharsets.UTF_8);
        try (RandomAccessFile file =
                new RandomAccessFile(model.resolve("model.safetensors").toFile(), "rw")) {
            file.writeLong(Long.reverseBytes(json.length));
            file.write(json);
            file.setLength(8 + json.length + size + 4);
        }
        assertThatThrownBy(() -> run(output, SETTINGS, JobListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageMatching(".*out needs [0-9,]+ bytes but only [0-9,]+ are free there: free some or .*");
        assertThat(Directories.names(directory)).containsExactly("model");
    }
}
