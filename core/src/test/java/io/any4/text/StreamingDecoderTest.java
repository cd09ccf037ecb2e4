package io.any4.text;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class StreamingDecoderTest {
    private static final Path DEMO = Path.of("..", "models", "demo");

    @ParameterizedTest
    @ValueSource(strings = {"Once upon a time, there was", " leading space", "東京 und 🦙🏳️‍🌈!", "\n\n  indented"})
    void piecesAddUpAndEachIsWellFormed(String text) {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            StreamingDecoder decoder = tokenizer.streaming();
            StringBuilder all = new StringBuilder();
            for (int id : tokenizer.encode(text, true)) {
                String piece = decoder.next(id);
                assertThat(piece).doesNotContain("\uFFFD");
                all.append(piece);
            }
            assertThat(decoder.finish()).isEmpty();
            assertThat(all).hasToString(text);
        }
    }

    @Test
    void passesWordsOnAsTheyCome() {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            StreamingDecoder decoder = tokenizer.streaming();
            for (int id : tokenizer.encode("the sea", false)) {
                assertThat(decoder.next(id)).isNotEmpty();
            }
        }
    }

    @Test
    void randomIdsAddUpToTheirText() {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            for (int seed = 0; seed < 50; seed++) {
                int[] ids = new Random(seed).ints(40, 2, 2048).toArray();
                StreamingDecoder decoder = tokenizer.streaming();
                StringBuilder all = new StringBuilder();
                for (int id : ids) {
                    all.append(decoder.next(id));
                }
                all.append(decoder.finish());
                // How many replacement characters stand for malformed bytes depends on where they are cut.
                assertThat(all.toString().replaceAll("\uFFFD+", "\uFFFD"))
                        .as("seed %d", seed)
                        .isEqualTo(tokenizer.decode(ids).replaceAll("\uFFFD+", "\uFFFD"));
            }
        }
    }

    @Test
    void handsOverMalformedTextInsteadOfHoldingItForever() {
        try (Tokenizer tokenizer = Tokenizer.load(DEMO)) {
            int half = tokenizer.encode("é", false)[0]; // the first byte of two
            StreamingDecoder decoder = tokenizer.streaming();
            StringBuilder all = new StringBuilder();
            for (int i = 0; i < 40; i++) {
                all.append(decoder.next(half));
            }
            assertThat(tokenizer.encode("é", false)).hasSize(2);
            assertThat(all).hasSizeGreaterThan(30);
        }
    }
}
