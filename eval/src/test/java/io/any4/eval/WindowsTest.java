package io.any4.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class WindowsTest {
    private static final int[] TEXT = IntStream.range(0, 25).toArray();

    @Test
    void windowsAreConsecutiveAndTheTailIsDropped() {
        Windows windows = Windows.cut(TEXT, 10, 512, 100);
        assertThat(windows.count()).isEqualTo(2);
        assertThat(windows.window(1)).containsExactly(10, 11, 12, 13, 14, 15, 16, 17, 18, 19);
        assertThat(windows.predictions()).isEqualTo(18);
        assertThat(windows.shortened()).isFalse();
    }

    @Test
    void aShortTextIsOneWindowAndSaysSo() {
        Windows windows = Windows.cut(TEXT, 100, 512, 100);
        assertThat(windows.count()).isEqualTo(1);
        assertThat(windows.window(0)).isEqualTo(TEXT);
        assertThat(windows.shortened()).isTrue();
    }

    @Test
    void aTextWithoutAPredictionIsRefused() {
        assertThatThrownBy(() -> Windows.cut(new int[] {1}, 10, 512, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("at least two");
    }

    @Test
    void aWindowBeyondTheContextIsRefused() {
        assertThatThrownBy(() -> Windows.cut(TEXT, 513, 512, 1))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("context of 512");
        assertThatThrownBy(() -> Windows.cut(TEXT, 1, 512, 1)).isInstanceOf(InvalidInputException.class);
    }

    @Test
    void theUsualWindowIs2048OrTheContext() {
        assertThat(Windows.usualLength(512)).isEqualTo(512);
        assertThat(Windows.usualLength(131072)).isEqualTo(2048);
    }
}
