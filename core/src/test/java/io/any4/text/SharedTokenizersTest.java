package io.any4.text;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.SharedData;
import java.io.IOException;
import java.nio.file.Files;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Tokenizers with a leading space and byte fallback, against vectors from llama.cpp and by round trip.
@Tag("shared")
class SharedTokenizersTest {
    private static final List<String> TEXTS = List.of(
            "Once upon a time, there was a little girl named Lily.",
            "東京 und 🦙🏳️‍🌈!",
            "line one\nline two\n",
            "Straße, дом, naïve");

    @Test
    void encodesLikeLlamaCpp() throws IOException {
        String vectors = "tokenizers/vectors/ggml-vocab-llama-spm.gguf";
        String[] texts = Files.readString(SharedData.path(vectors + ".inp")).split("\n__ggml_vocab_test__\n", -1);
        List<String> lines = Files.readAllLines(SharedData.path(vectors + ".out"));
        assertThat(lines).hasSizeGreaterThan(40);
        try (Tokenizer tokenizer = Tokenizer.load(SharedData.path("tokenizers/llama2"))) {
            for (int i = 0; i < lines.size(); i++) {
                int[] expected = Arrays.stream(lines.get(i).split(" "))
                        .filter(id -> !id.isEmpty())
                        .mapToInt(Integer::parseInt)
                        .toArray();
                assertThat(tokenizer.encode(texts[i], false)).as(texts[i]).isEqualTo(expected);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"tokenizers/llama2", "models/tiny-llama-random", "models/stories260K"})
    void streamsWhatItDecodes(String folder) {
        try (Tokenizer tokenizer = Tokenizer.load(SharedData.path(folder))) {
            for (String text : TEXTS) {
                int[] ids = tokenizer.encode(text, true);
                StreamingDecoder decoder = tokenizer.streaming();
                StringBuilder all = new StringBuilder();
                for (int id : ids) {
                    String piece = decoder.next(id);
                    assertThat(piece).doesNotContain("\uFFFD");
                    all.append(piece);
                }
                all.append(decoder.finish());
                assertThat(ids).startsWith(1);
                assertThat(all).hasToString(tokenizer.decode(ids));
                assertThat(all.toString().strip()).isEqualTo(text.strip());
            }
        }
    }

    @Test
    void aContinuationKeepsItsLeadingSpace() {
        try (Tokenizer tokenizer = Tokenizer.load(SharedData.path("tokenizers/llama2"))) {
            int[] prompt = tokenizer.encode("Once upon a", true);
            int[] more = Arrays.copyOfRange(tokenizer.encode("Once upon a time 東", true), prompt.length, 7);
            assertThat(tokenizer.decode(more)).startsWith("time");
            assertThat(tokenizer.continuation(prompt, more)).startsWith(" time");
        }
    }

    @Test
    void readsAVocabularyWithoutBytes() {
        try (Tokenizer tokenizer = Tokenizer.load(SharedData.path("models/babyllama-tok105"))) {
            int[] ids = tokenizer.encode("the cat sat", true);
            assertThat(ids).startsWith(tokenizer.bosId());
            assertThat(tokenizer.decode(ids)).isEqualTo("the cat sat");
        }
    }
}
