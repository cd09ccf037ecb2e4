package io.any4.engine;

import io.any4.calibrate.CalibrationData;
import io.any4.calibrate.CalibrationListener;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.NextTokens;
import io.any4.model.Segment;
import io.any4.model.Tap;
import io.any4.tinygemm.Sampling;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/// Calibration data that a model writes itself, which needs no text and is of the kind the model was trained on (as
/// LLM-QAT, arXiv 2305.17888, section 3.1, has it: tokens are drawn from the model's own distribution).
public final class SelfCalibration {
    /// Sequences that are written side by side, so that weights are read once for all.
    private static final int TOGETHER = 8;

    private SelfCalibration() {}

    /// Draws sequences from the model, each token from the whole distribution at temperature 1. What follows an
    /// end-of-sequence token is what the model expects there.
    ///
    /// The same model, seed and kernels give the same sequences. Eight are written at a time, and their caches
    /// held.
    ///
    /// @param decoder the unquantized model
    /// @param beginning id of the token that texts begin with, or -1 to begin each with any token of the vocabulary
    /// @param samples sequences to draw
    /// @param length tokens of each
    /// @throws io.any4.checkpoint.InvalidInputException if that is nothing, or `length` exceeds the model's context
    public static CalibrationData draw(
            Decoder decoder, int beginning, int samples, int length, long seed, CalibrationListener listener) {
        CalibrationData.requireSome(samples, length);
        SplittableRandom random = new SplittableRandom(seed);
        List<int[]> windows = new ArrayList<>();
        List<NextTokens.Sequence> sequences = new ArrayList<>();
        for (int i = 0; i < samples; i++) {
            int[] window = new int[length];
            window[0] =
                    beginning >= 0 ? beginning : random.nextInt(decoder.config().vocabSize());
            windows.add(window);
            sequences.add(new NextTokens.Sequence(Sampling.of(1, random.nextLong())));
        }
        for (int from = 0; from < samples; from += TOGETHER) {
            int to = Math.min(samples, from + TOGETHER);
            continueAll(decoder, windows.subList(from, to), sequences.subList(from, to));
            listener.progress(to, samples);
        }
        return CalibrationData.ofModel(windows, seed);
    }

    /// Fills windows that have their first token.
    private static void continueAll(Decoder decoder, List<int[]> windows, List<NextTokens.Sequence> sequences) {
        int length = windows.getFirst().length;
        List<KvCache> caches =
                windows.stream().map(window -> decoder.newCache(length)).toList();
        NextTokens next = decoder.nextTokens(windows.size());
        int[] rows = IntStream.range(0, windows.size()).toArray();
        for (int t = 1; t < length; t++) {
            List<Segment> newest = new ArrayList<>();
            for (int i = 0; i < windows.size(); i++) {
                newest.add(new Segment(Arrays.copyOfRange(windows.get(i), t - 1, t), caches.get(i)));
            }
            int[] ids = next.choose(decoder.forward(newest, Tap.NONE), rows, sequences);
            for (int i = 0; i < ids.length; i++) {
                windows.get(i)[t] = ids[i];
            }
        }
    }
}
