package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Many codes at once against one at a time.
final class LevelSearchTest {
    @ParameterizedTest
    @CsvSource({"4, 0, 64", "8, 3, 50", "16, 0, 47", "16, 16, 32", "16, 5, 9"})
    void findsWhatTheGridFinds(int count, int from, int to) {
        Random random = new Random(count + to);
        float[] levels = new float[count];
        for (int k = 0; k < count; k++) {
            levels[k] = (float) random.nextGaussian();
        }
        levels[1] = levels[0]; // a level that nothing is nearest to
        Arrays.sort(levels);
        float[] thresholds = new float[count - 1];
        Grid.midpoints(levels, count, thresholds);
        float[] x = new float[64];
        for (int j = 0; j < x.length; j++) {
            x[j] = j % 7 == 0 ? thresholds[j % (count - 1)] / 2 : (float) random.nextGaussian();
        }
        x[from] = Float.NaN;
        x[to - 1] = Float.POSITIVE_INFINITY;
        LevelSearch search = new LevelSearch(count);
        search.use(levels);
        byte[] codes = new byte[64];
        float[] nearest = new float[64];
        search.codes(x, from, to, 2f, codes);
        search.levels(x, from, to, 2f, nearest);
        for (int j = 0; j < 64; j++) {
            int expected = j < from || j >= to ? 0 : Grid.code(x[j] * 2f, thresholds);
            assertThat(codes[j]).as("code %d", j).isEqualTo((byte) expected);
            assertThat(nearest[j]).isEqualTo(j < from || j >= to ? 0f : levels[expected]);
        }
    }
}
