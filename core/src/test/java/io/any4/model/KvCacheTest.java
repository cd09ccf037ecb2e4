package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Caches of other types than F32: how near they come to F32, that they are small, and that cutting a text changes
/// nothing.
class KvCacheTest {
    private static final int[] IDS = TinyModel.ids(210, 5);

    @TempDir
    Path directory;

    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);

    @BeforeEach
    void writeModel() throws IOException {
        write(Architecture.LLAMA);
    }

    private void write(Architecture architecture) throws IOException {
        TinyModel model = new TinyModel(architecture, 8);
        model.config.put("max_position_embeddings", 256);
        model.write(directory);
    }

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void eightBitsAreNearlyExact(Architecture architecture) throws IOException {
        write(architecture);
        assertThat(error("int8")).isPositive().isLessThan(2e-3);
    }

    @Test
    void sixteenBitsAreNearerStill() {
        assertThat(error("f32")).isZero();
        assertThat(error("f16")).isPositive().isLessThan(1e-6);
        assertThat(error("bf16")).isGreaterThan(20 * error("f16")).isLessThan(1e-4);
    }

    @Test
    void aLearnedTableBeatsIntegersOfTheSameSize() {
        assertThat(error("any4")).isPositive().isLessThan(0.9 * error("int4"));
        assertThat(error("int4")).isLessThan(error("int3"));
    }

    /// Relative squared error of the logits.
    private double error(String format) {
        double difference = 0;
        double size = 0;
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            float[][] expected = Logits.inChunks(decoder, IDS, 50);
            decoder.cacheFormat(KvFormat.parse(format));
            float[][] actual = Logits.inChunks(decoder, IDS, 50);
            for (int t = 0; t < IDS.length; t++) {
                for (int v = 0; v < TinyModel.VOCAB; v++) {
                    difference += Math.pow(actual[t][v] - expected[t][v], 2);
                    size += Math.pow(expected[t][v], 2);
                }
            }
            if (KvFormat.parse(format) instanceof KvFormat.Quantized) {
                assertThat(actual[63])
                        .as("nothing is quantized before the first block is over")
                        .isEqualTo(expected[63]);
            }
        }
        return difference / size;
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 64, 100})
    void cuttingTheTextChangesNothing(int chunk) {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            decoder.cacheFormat(KvFormat.parse("any4"));
            float[][] whole = Logits.inChunks(decoder, IDS, IDS.length);
            assertThat(Logits.inChunks(decoder, IDS, chunk)).isDeepEqualTo(whole);
        }
    }

    @Test
    void takesAFractionOfTheMemory() {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            KvCache dense = decoder.newCache(256);
            decoder.cacheFormat(KvFormat.parse("int4"));
            KvCache small = decoder.newCache(256);
            int[] ids = TinyModel.ids(193, 1); // three blocks are stored, the fourth begins
            decoder.forward(ids, dense);
            decoder.forward(ids, small);
            long perPosition = 2 * 2 * 2 * 10 * 4; // layers, keys and values, heads, elements, bytes
            assertThat(dense.bytes()).isEqualTo(193 * perPosition);
            // a position of keys: 20 codes and a share of 20 scales and zeros; of values: 20 codes, 2 scales, 2 zeros
            long codesAndTables = 3 * 64 * (2 * 10) + 3 * 2 * 32L;
            long scales = 3 * (20 * 4) + 3 * 64 * (2 * 4);
            assertThat(small.bytes()).isEqualTo(2 * (codesAndTables + scales) + perPosition);
        }
    }

    @Test
    void goesOnAfterTruncation() {
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            decoder.cacheFormat(KvFormat.parse("int8"));
            KvCache cache = decoder.newCache(256);
            decoder.forward(IDS, cache);
            for (int length : new int[] {200, 128, 70, 0}) {
                cache.truncate(length);
                float[] again = last(decoder, Arrays.copyOfRange(IDS, length, IDS.length), cache);
                float[] afresh = last(decoder, IDS, decoder.newCache(256));
                for (int v = 0; v < again.length; v++) {
                    assertThat(again[v]).isCloseTo(afresh[v], org.assertj.core.api.Assertions.within(0.05f));
                }
            }
            assertThat(last(decoder, IDS, truncated(cache, 0))).isEqualTo(last(decoder, IDS, decoder.newCache(256)));
        }
    }

    private static KvCache truncated(KvCache cache, int length) {
        cache.truncate(length);
        return cache;
    }

    private static float[] last(Decoder decoder, int[] ids, KvCache cache) {
        float[] out = new float[TinyModel.VOCAB];
        decoder.logits(decoder.forward(ids, cache), ids.length - 1, 1, out);
        return out;
    }

    @Test
    void namesTheFormatsThereAre() {
        assertThatThrownBy(() -> KvFormat.parse("mx4"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContainingAll("mx4", "int8", "any4");
    }
}
