package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import io.any4.text.Tokenizer;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class CalibrationDataTest {
    private static final Path DEMO = Path.of("..", "models", "demo");

    private final Tokenizer tokenizer = Tokenizer.load(DEMO);

    @AfterAll
    void close() {
        tokenizer.close();
    }

    @Test
    void theBuiltInPromptIsOneTextInWindowsOfTheContext() {
        CalibrationData whole = CalibrationData.builtIn(tokenizer, 4096);
        assertThat(whole.windows()).hasSize(1);
        assertThat(whole.windows().getFirst()).startsWith(tokenizer.bosId());
        CalibrationData cut = CalibrationData.builtIn(tokenizer, 100);
        assertThat(cut.windows()).allSatisfy(window -> assertThat(window).hasSizeLessThanOrEqualTo(100));
        assertThat(cut.windows().stream().flatMapToInt(Arrays::stream).toArray())
                .isEqualTo(whole.windows().getFirst());
        assertThat(cut.tokens()).isEqualTo(whole.tokens()).isGreaterThan(300);
        assertThat(whole.describe().path("dataset").stringValue()).isEqualTo("built-in");
        assertThat(whole.sha256()).hasSize(64);
    }

    @Test
    void takesRandomWindowsOfAFile() {
        Path file = DEMO.resolve("heldout.txt");
        CalibrationData data = CalibrationData.ofFile(file, tokenizer, 6, 50, 1);
        assertThat(data.windows())
                .hasSize(6)
                .allSatisfy(window -> assertThat(window).hasSize(50));
        Set<String> distinct = new HashSet<>();
        data.windows().forEach(window -> distinct.add(Arrays.toString(window)));
        assertThat(distinct).hasSizeGreaterThan(4);
        CalibrationData again = CalibrationData.ofFile(file, tokenizer, 6, 50, 1);
        CalibrationData other = CalibrationData.ofFile(file, tokenizer, 6, 50, 2);
        assertThat(again.windows().get(3)).isEqualTo(data.windows().get(3));
        assertThat(other.windows().get(3)).isNotEqualTo(data.windows().get(3));
        assertThat(data.describe().toString()).contains("heldout.txt", "\"samples\":6", "\"seqlen\":50", "\"seed\":1");
    }

    @Test
    void aShortFileIsOneWindow(@TempDir Path directory) throws IOException {
        Path file = Files.writeString(directory.resolve("short.txt"), "It rained.");
        CalibrationData data = CalibrationData.ofFile(file, tokenizer, 6, 50, 1);
        assertThat(data.windows()).hasSize(1);
        assertThat(tokenizer.decode(data.windows().getFirst())).isEqualTo("It rained.");
    }

    @Test
    void saysWhatIsWrongWithAFile(@TempDir Path directory) throws IOException {
        Path empty = Files.createFile(directory.resolve("empty.txt"));
        assertThatThrownBy(() -> CalibrationData.ofFile(empty, tokenizer, 1, 10, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("is empty");
        Path binary = Files.write(directory.resolve("binary"), new byte[] {(byte) 0xc3, (byte) 0x28});
        assertThatThrownBy(() -> CalibrationData.ofFile(binary, tokenizer, 1, 10, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("not UTF-8");
        assertThatThrownBy(() -> CalibrationData.ofFile(directory.resolve("none"), tokenizer, 1, 10, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> CalibrationData.ofFile(empty, tokenizer, 0, 10, 0))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at least one sample");
    }
}
