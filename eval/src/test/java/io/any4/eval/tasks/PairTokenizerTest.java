package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.text.Tokenizer;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class PairTokenizerTest {
    private final Tokenizer tokenizer = Tokenizer.load(Path.of("..", "models", "demo"));
    private final PairTokenizer pairs = new PairTokenizer(tokenizer);

    @AfterAll
    void close() {
        tokenizer.close();
    }

    @Test
    void spacesAtTheEndOfAContextGoToTheContinuation() {
        PairTokenizer.Pair pair = pairs.encode(new Request.Likelihood("He saw ", "a ship"));
        assertThat(pair)
                .usingRecursiveComparison()
                .isEqualTo(pairs.encode(new Request.Likelihood("He saw", " a ship")));
        assertThat(continuation(pair)).isEqualTo(" a ship");
    }

    @Test
    void theWholeTextIsTokenizedAtOnce() {
        PairTokenizer.Pair pair = pairs.encode(new Request.Likelihood("The cap", "tain"));
        assertThat(pair.ids()).isEqualTo(tokenizer.encode("The captain", true));
        assertThat(pair.contextLength()).isEqualTo(tokenizer.encode("The cap", true).length);
    }

    @Test
    void withoutAContextTheTextBeginsWithTheModelsToken() {
        PairTokenizer.Pair pair = pairs.encode(new Request.Likelihood("", "He saw"));
        assertThat(pair.contextLength()).isEqualTo(1);
        assertThat(pair.ids()[0]).isEqualTo(tokenizer.bosId());
        assertThat(Arrays.copyOfRange(pair.ids(), 1, pair.ids().length)).isEqualTo(tokenizer.encode("He saw", false));
    }

    @Test
    void theBeginningIsNotAddedTwice() {
        String bos = tokenizer.decode(new int[] {tokenizer.bosId()}, false);
        assertThat(pairs.encode(bos + "He saw")).isEqualTo(tokenizer.encode("He saw", true));
    }

    private String continuation(PairTokenizer.Pair pair) {
        return tokenizer.decode(Arrays.copyOfRange(pair.ids(), pair.contextLength(), pair.ids().length));
    }
}
