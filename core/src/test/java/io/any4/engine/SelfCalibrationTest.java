package io.any4.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.CalibrationListener;
import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Decoder;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// What the demo model writes to be calibrated on.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class SelfCalibrationTest {
    private static final int BEGINNING = 1;

    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);
    private final Checkpoint checkpoint = Checkpoint.open(Path.of("..", "models", "demo"));
    private final Decoder decoder = Decoder.load(checkpoint, device);

    @AfterAll
    void close() {
        checkpoint.close();
        device.close();
        team.close();
    }

    private CalibrationData draw(int beginning, long seed) {
        return SelfCalibration.draw(decoder, beginning, 3, 16, seed, CalibrationListener.NONE);
    }

    @Test
    void theSameSeedGivesTheSameSequences() {
        CalibrationData data = draw(BEGINNING, 5);
        assertThat(data.windows())
                .hasSize(3)
                .allSatisfy(window -> assertThat(window).hasSize(16).startsWith(BEGINNING));
        assertThat(data.windows().get(0)).isNotEqualTo(data.windows().get(1));
        assertThat(draw(BEGINNING, 5).sha256()).isEqualTo(data.sha256());
        assertThat(draw(BEGINNING, 6).sha256()).isNotEqualTo(data.sha256());
        assertThat(data.dataset()).isEqualTo("self");
    }

    @Test
    void withoutABeginningAnyTokenIsOne() {
        assertThat(draw(-1, 1).windows().stream().mapToInt(window -> window[0]).distinct())
                .hasSizeGreaterThan(1);
    }

    @Test
    void whatTheModelWritesIsLikelyToIt() {
        assertThat(surprise(draw(BEGINNING, 2).windows().getFirst()))
                .isLessThan(0.8 * Math.log(decoder.config().vocabSize()));
    }

    /// Mean negative log-likelihood of all tokens but the first.
    private double surprise(int[] ids) {
        int vocabulary = decoder.config().vocabSize();
        float[] logits = new float[ids.length * vocabulary];
        decoder.logits(decoder.forward(ids, decoder.newCache(ids.length)), 0, ids.length, logits);
        double sum = 0;
        for (int t = 1; t < ids.length; t++) {
            float[] of = Arrays.copyOfRange(logits, (t - 1) * vocabulary, t * vocabulary);
            double total = 0;
            for (float logit : of) {
                total += Math.exp(logit);
            }
            sum += Math.log(total) - of[ids[t]];
        }
        return sum / (ids.length - 1);
    }

    @Test
    void nothingAndTooMuchAreSentences() {
        assertThatThrownBy(() -> SelfCalibration.draw(decoder, BEGINNING, 0, 16, 0, CalibrationListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at least one sample");
        assertThatThrownBy(() -> SelfCalibration.draw(decoder, BEGINNING, 1, 4096, 0, CalibrationListener.NONE))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("context");
    }
}
