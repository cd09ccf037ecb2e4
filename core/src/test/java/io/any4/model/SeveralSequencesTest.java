package io.any4.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.Checkpoint;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Sequences that are run together get, bit for bit, what each gets alone.
class SeveralSequencesTest {
    private static final int CAPACITY = 128;

    @TempDir
    Path directory;

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void scalar(Architecture architecture) throws IOException {
        try (Team team = new Team(2);
                Device device = CpuDevice.scalar(team)) {
            check(architecture, device, KvFormat.F32);
        }
    }

    @ParameterizedTest
    @EnumSource(Architecture.class)
    void vector(Architecture architecture) throws IOException {
        try (Device device = CpuDevice.open(new CpuOptions(2, true))) {
            check(architecture, device, KvFormat.F32);
        }
    }

    @Test
    void quantizedCaches() throws IOException {
        try (Device device = CpuDevice.open(new CpuOptions(2, true))) {
            check(Architecture.LLAMA, device, KvFormat.parse("int4"));
        }
    }

    /// One step after the other: a prompt begins while other sequences go on; some take a token, some several.
    private void check(Architecture architecture, Device device, KvFormat format) throws IOException {
        TinyModel model = new TinyModel(architecture, 4);
        model.config.put("max_position_embeddings", CAPACITY);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            decoder.cacheFormat(format);
            int[][] lengths = {{7, 1, 1, 3}, {0, 80, 1, 1}, {1, 2, 0, 30}, {19, 0, 1, 1}};
            List<KvCache> together = new ArrayList<>();
            List<KvCache> alone = new ArrayList<>();
            for (int s = 0; s < lengths.length; s++) {
                together.add(decoder.newCache(CAPACITY));
                alone.add(decoder.newCache(CAPACITY));
            }
            for (int step = 0; step < lengths[0].length; step++) {
                List<Segment> segments = new ArrayList<>();
                List<float[]> expected = new ArrayList<>();
                for (int s = 0; s < lengths.length; s++) {
                    if (lengths[s][step] > 0) {
                        int[] ids = TinyModel.ids(lengths[s][step], 10 * s + step);
                        segments.add(new Segment(ids, together.get(s)));
                        expected.add(hidden(decoder, decoder.forward(ids, alone.get(s)), ids.length));
                    }
                }
                assertThat(run(decoder, segments)).as("step %d", step).isDeepEqualTo(expected.toArray(float[][]::new));
            }
        }
    }

    /// More tokens than go through the blocks at once.
    @Test
    void manySequences() throws IOException {
        try (Device device = CpuDevice.open(new CpuOptions(2, true));
                Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 4).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            List<Segment> segments = new ArrayList<>();
            List<float[]> expected = new ArrayList<>();
            for (int s = 0; s < 40; s++) {
                int[] ids = TinyModel.ids(20 + s, s);
                expected.add(hidden(decoder, decoder.forward(ids, decoder.newCache(64)), ids.length));
                segments.add(new Segment(ids, decoder.newCache(64)));
            }
            assertThat(run(decoder, segments)).isDeepEqualTo(expected.toArray(float[][]::new));
        }
    }

    @Test
    void logitsOfChosenRows() throws IOException {
        try (Device device = CpuDevice.open(new CpuOptions(2, true));
                Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 4).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            Buffer hidden = decoder.forward(TinyModel.ids(9, 1), decoder.newCache(9));
            float[] all = new float[9 * TinyModel.VOCAB];
            decoder.logits(hidden, 0, 9, all);
            float[] some = new float[2 * TinyModel.VOCAB];
            decoder.logits(hidden, new int[] {8, 3}, some);
            for (int i = 0; i < TinyModel.VOCAB; i++) {
                assertThat(some[i]).isEqualTo(all[8 * TinyModel.VOCAB + i]);
                assertThat(some[TinyModel.VOCAB + i]).isEqualTo(all[3 * TinyModel.VOCAB + i]);
            }
        }
    }

    @Test
    void aCacheBelongsToOneSequence() throws IOException {
        try (Device device = CpuDevice.open(new CpuOptions(1, true));
                Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 4).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            Segment segment = new Segment(new int[] {1, 2}, decoder.newCache(9));
            assertThatThrownBy(() -> decoder.forward(List.of(segment, segment), Tap.NONE))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(segment.cache().length()).isZero();
        }
    }

    /// The hidden states of each segment.
    private static float[][] run(Decoder decoder, List<Segment> segments) {
        int tokens = segments.stream().mapToInt(s -> s.ids().length).sum();
        float[] all = hidden(decoder, decoder.forward(segments, Tap.NONE), tokens);
        float[][] each = new float[segments.size()][];
        int from = 0;
        for (int s = 0; s < each.length; s++) {
            int to = from + segments.get(s).ids().length * TinyModel.HIDDEN;
            each[s] = Arrays.copyOfRange(all, from, to);
            from = to;
        }
        return each;
    }

    private static float[] hidden(Decoder decoder, Buffer buffer, int tokens) {
        float[] out = new float[tokens * TinyModel.HIDDEN];
        decoder.device().read(buffer, 0, out, out.length);
        return out;
    }
}
