package io.any4;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.calibrate.QuantizationResult;
import io.any4.checkpoint.InvalidInputException;
import io.any4.engine.Generation;
import io.any4.tinygemm.Sampling;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The facade on the bundled demo model, from quantization to text.
class Any4Test {
    private static final Path DEMO = Path.of("..", "models", "demo");
    private static final String TEXT = "The house stood at the end of the lane, and nobody had lived in it for years.";

    @Test
    void generatesAndScores() {
        try (Any4 model = Any4.load(DEMO)) {
            String text = model.generate("Once upon a time", 24);
            StringBuilder pieces = new StringBuilder();
            Generation generation = model.generate("Once upon a time", 24, Sampling.GREEDY, pieces::append);
            assertThat(pieces).hasToString(text);
            assertThat(text.strip().split(" ")).hasSizeGreaterThan(8);
            assertThat(generation.ids()).hasSizeLessThanOrEqualTo(24);
            assertThat(model.generate(List.of("The sea", "Once upon a time"), 24))
                    .containsExactly(model.generate("The sea", 24), text);
            double[] scores = model.logProbabilities(TEXT);
            double mean = 0;
            for (double score : scores) {
                assertThat(score).isNegative();
                mean += score / scores.length;
            }
            assertThat(model.perplexity(TEXT)).isCloseTo(Math.exp(-mean), within(1e-9));
            assertThat(model.perplexity(TEXT))
                    .isLessThan(model.perplexity("lane lane of years it had house nobody lived"));
        }
    }

    @Test
    void quantizedModelsScoreNearlyAsWell(@TempDir Path directory) {
        double original;
        try (Any4 model = Any4.load(DEMO)) {
            original = model.perplexity(TEXT);
        }
        Path output = directory.resolve("any4");
        QuantizationResult result = Any4.quantize(DEMO, output, "any4,group-size=64");
        assertThat(result.errors()).hasSize(4 * 7);
        try (Any4 model = Any4.load(output)) {
            assertThat(model.perplexity(TEXT)).isNotEqualTo(original).isCloseTo(original, within(0.1 * original));
            assertThat(model.generate("Once upon a time", 8)).isNotBlank();
        }
    }

    @Test
    void saysWhatIsWrong(@TempDir Path directory) {
        assertThatThrownBy(() -> Any4.load(directory.resolve("absent")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("does not exist");
        assertThatThrownBy(() -> Any4.quantize(DEMO, directory.resolve("out"), "any5"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("any5");
        try (Any4 model = Any4.load(DEMO)) {
            assertThatThrownBy(() -> model.perplexity(""))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("two tokens");
            assertThatThrownBy(() -> model.generate("word ".repeat(600), 1))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("context of 512");
        }
    }
}
