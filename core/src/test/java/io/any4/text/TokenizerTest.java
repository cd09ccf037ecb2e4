package io.any4.text;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The bundled demo model's tokenizer, a byte-level BPE.
class TokenizerTest {
    private static final Path DEMO = Path.of("..", "models", "demo");

    @ParameterizedTest
    @ValueSource(
            strings = {
                "",
                " ",
                "Once upon a time",
                "  two spaces, a tab\t and lines\n\n\nthere ",
                "naïve café, Straße, дом, 東京, 🦙🏳️‍🌈, e\u0301",
                "it's 12345 o'clock <|end_of_text",
            })
    void decodesWhatItEncoded(String text) {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            assertThat(tokenizer.decode(tokenizer.encode(text, false))).isEqualTo(text);
            assertThat(tokenizer.decode(tokenizer.encode(text, true))).isEqualTo(text);
        }
    }

    @Test
    void addsSpecialTokensOnDemandOnly() {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            int[] plain = tokenizer.encode("Once upon a time", false);
            int[] special = tokenizer.encode("Once upon a time", true);
            assertThat(special).startsWith(0).endsWith(plain).hasSize(plain.length + 1);
            assertThat(tokenizer.bosId()).isZero();
            assertThat(tokenizer.eosId()).isEqualTo(1);
            assertThat(tokenizer.decode(special, false)).isEqualTo("<|begin_of_text|>Once upon a time");
            assertThat(tokenizer.encode("<|end_of_text|>", false)).containsExactly(1);
        }
    }

    @Test
    void doesNotTruncate() {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            String text = "word ".repeat(3000);
            assertThat(tokenizer.encode(text, false)).hasSizeGreaterThanOrEqualTo(3000);
        }
    }

    @Test
    void keepsTheLibraryFromPhoningHome() {
        Tokenizer.load(DEMO).close();
        assertThat(ai.djl.util.Utils.getEnvOrSystemProperty("OPT_OUT_TRACKING")).isEqualTo("true");
        assertThat(ai.djl.util.Utils.isOfflineMode()).isTrue();
    }

    @Test
    void addsTheBeginningThatOnlyTheConfigAsksFor(@TempDir Path directory) throws IOException {
        String json = Files.readString(DEMO.resolve("tokenizer.json"));
        assertThat(json).contains("\"TemplateProcessing\"");
        int from = json.indexOf("\"post_processor\"");
        int to = json.indexOf("\"decoder\"");
        Files.writeString(
                directory.resolve("tokenizer.json"),
                json.substring(0, from) + "\"post_processor\": null, " + json.substring(to));
        Files.writeString(directory.resolve("tokenizer_config.json"), """
                {"bos_token": {"content": "<|begin_of_text|>"}, "eos_token": null, "add_bos_token": true,
                 "chat_template": [{"name": "tool_use", "template": "no"}, {"name": "default", "template": "yes"}]}""");
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.encode("Once", true)).startsWith(0);
            assertThat(tokenizer.encode("Once", false)).isNotEmpty().doesNotContain(0);
            assertThat(tokenizer.eosId()).isEqualTo(-1);
            assertThat(tokenizer.chatTemplate()).isEqualTo("yes");
            Files.writeString(directory.resolve("chat_template.jinja"), "{{ messages }}");
        }
        try (Tokenizer tokenizer = Tokenizer.load(directory)) {
            assertThat(tokenizer.chatTemplate()).isEqualTo("{{ messages }}");
        }
    }

    @Test
    void saysWhatToDoWithoutTokenizerJson(@TempDir Path directory) throws IOException {
        assertThatThrownBy(() -> Tokenizer.load(directory))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("has no tokenizer.json");
        Files.writeString(directory.resolve("tokenizer.model"), "x");
        assertThatThrownBy(() -> Tokenizer.load(directory))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("tokenizer.model", "save_pretrained");
    }

    @Test
    void namesABrokenFile(@TempDir Path directory) throws IOException {
        Files.writeString(directory.resolve("tokenizer.json"), "{\"model\": 1}");
        assertThatThrownBy(() -> Tokenizer.load(directory))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("tokenizer.json cannot be used");
    }
}
