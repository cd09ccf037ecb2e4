package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.NextTokens;
import io.any4.model.Segment;
import io.any4.model.Tap;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Sequences of different lengths that are run together get what each gets alone, on interpreted kernels; a step of
/// several sequences becomes one graph as a step of one does.
class SeveralSequencesTest {
    private static final int[][] PROMPTS = {{1, 5, 9, 33, 2}, {7}, {40, 41, 42, 43, 44, 45, 46, 47, 48}};
    private static final int STEPS = 4;

    @TempDir
    Path directory;

    @Test
    void eachGetsWhatItGetsAlone() throws Exception {
        SyntheticModel.TINY.write(directory);
        SimGpu gpu = new SimGpu(KernelSet.BF16_SM90);
        try (Device device = new CudaDevice(() -> gpu, Activation.BF16);
                Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            List<float[]> expected = new ArrayList<>();
            for (int[] prompt : PROMPTS) {
                expected.add(generate(decoder, List.of(prompt)).getFirst());
            }
            int before = gpu.replays();
            assertThat(generate(decoder, List.of(PROMPTS)).toArray(float[][]::new))
                    .isDeepEqualTo(expected.toArray(float[][]::new));
            assertThat(gpu.replays() - before)
                    .as("steps after the second repeat one graph")
                    .isEqualTo(STEPS - 1);
        }
    }

    /// Sampling several sequences takes the host their ids alone, and gives what each gives alone.
    @Test
    void choosingLeavesLogitsOnTheDevice() throws Exception {
        SyntheticModel.TINY.write(directory);
        SimGpu gpu = new SimGpu(KernelSet.BF16_SM90);
        try (Device device = new CudaDevice(() -> gpu, Activation.BF16);
                Checkpoint checkpoint = Checkpoint.open(directory)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            List<int[]> alone = new ArrayList<>();
            for (int s = 0; s < PROMPTS.length; s++) {
                alone.add(sample(decoder, List.of(PROMPTS[s]), s).getFirst());
            }
            long before = gpu.downloadedBytes();
            assertThat(sample(decoder, List.of(PROMPTS), 0)).containsExactlyElementsOf(alone);
            assertThat(gpu.downloadedBytes() - before).isEqualTo(4L * PROMPTS.length * (STEPS + 1));
        }
    }

    /// The ids that follow some prompts, of which the first has a seed.
    private static List<int[]> sample(Decoder decoder, List<int[]> prompts, int seed) {
        NextTokens next = decoder.nextTokens(prompts.size());
        List<NextTokens.Sequence> sequences = new ArrayList<>();
        List<Segment> segments = new ArrayList<>();
        int[] rows = new int[prompts.size()];
        int tokens = 0;
        for (int s = 0; s < rows.length; s++) {
            segments.add(new Segment(prompts.get(s), decoder.newCache(16)));
            sequences.add(new NextTokens.Sequence(new Sampling(0.9, 20, 0.95, seed + s)));
            tokens += prompts.get(s).length;
            rows[s] = tokens - 1;
        }
        List<int[]> ids = new ArrayList<>();
        for (int step = 0; step <= STEPS; step++) {
            int[] chosen = next.choose(decoder.forward(segments, Tap.NONE), rows, sequences);
            ids.add(chosen);
            for (int s = 0; s < chosen.length; s++) {
                segments.set(
                        s, new Segment(new int[] {chosen[s]}, segments.get(s).cache()));
            }
            Arrays.setAll(rows, i -> i);
        }
        List<int[]> each = new ArrayList<>();
        for (int s = 0; s < prompts.size(); s++) {
            int which = s;
            each.add(ids.stream().mapToInt(step -> step[which]).toArray());
        }
        return each;
    }

    /// The logits of each prompt's last step.
    private static List<float[]> generate(Decoder decoder, List<int[]> prompts) {
        List<Segment> segments = new ArrayList<>();
        int[] rows = new int[prompts.size()];
        int tokens = 0;
        for (int s = 0; s < rows.length; s++) {
            int[] prompt = prompts.get(s);
            segments.add(new Segment(prompt, decoder.newCache(16)));
            tokens += prompt.length;
            rows[s] = tokens - 1;
        }
        List<float[]> logits = logits(decoder, segments, rows);
        List<KvCache> caches = segments.stream().map(Segment::cache).toList();
        for (int step = 0; step < STEPS; step++) {
            int id = 11 + step;
            List<Segment> next = caches.stream()
                    .map(cache -> new Segment(new int[] {id}, cache))
                    .toList();
            Arrays.setAll(rows, i -> i);
            logits = logits(decoder, next, rows);
        }
        return logits;
    }

    private static List<float[]> logits(Decoder decoder, List<Segment> segments, int[] rows) {
        Buffer hidden = decoder.forward(segments, Tap.NONE);
        int vocabulary = SyntheticModel.TINY.vocabulary();
        float[] all = new float[rows.length * vocabulary];
        decoder.logits(hidden, rows, all);
        List<float[]> each = new ArrayList<>();
        for (int s = 0; s < rows.length; s++) {
            each.add(Arrays.copyOfRange(all, s * vocabulary, (s + 1) * vocabulary));
        }
        return each;
    }
}
