package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.NextToken;
import io.any4.model.Segment;
import io.any4.model.Tap;
import io.any4.tinygemm.Sampling;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;

/// Measures how fast a model runs: processing a prompt at once, and generating token by token, apart from each other.
///
/// The prompt is of random ids, the same in every run: speed does not depend on which they are. What llama-bench calls
/// `pp512` and `tg128` is measured the same way, generation starting from an empty cache. Tokens are chosen as a
/// generation chooses them, the likeliest each time, and run where they were chosen; only their ids are read.
public final class Benchmark {
    private static final long SEED = 1;

    private final Decoder decoder;

    public Benchmark(Decoder decoder) {
        this.decoder = decoder;
    }

    /// Hears about each repetition that is done.
    @FunctionalInterface
    public interface Listener {
        void repetition(int done, int total);
    }

    /// What was measured.
    ///
    /// @param prompt processing a prompt, with the choice of the token that follows
    /// @param generation one token after the other
    /// @param firstTokenSeconds median time from a prompt to the choice of the first token
    public record Result(Speed prompt, Speed generation, double firstTokenSeconds) {}

    /// Runs one repetition that does not count, then `repetitions` that do.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the tokens do not fit the model's context
    public Result run(int promptTokens, int generatedTokens, int repetitions, Listener listener) {
        if (promptTokens < 1 || generatedTokens < 1 || repetitions < 1) {
            throw new IllegalArgumentException("nothing to measure: %d prompt tokens, %d generated, %d repetitions"
                    .formatted(promptTokens, generatedTokens, repetitions));
        }
        int[] ids = new Random(SEED)
                .ints(
                        Math.max(promptTokens, generatedTokens),
                        0,
                        decoder.config().vocabSize())
                .toArray();
        KvCache cache = decoder.newCache(ids.length);
        double[] prompt = new double[repetitions];
        double[] generation = new double[repetitions];
        for (int i = -1; i < repetitions; i++) {
            double promptSeconds = prompt(ids, promptTokens, cache);
            double generationSeconds = generation(ids[0], generatedTokens, cache);
            if (i >= 0) {
                prompt[i] = promptSeconds;
                generation[i] = generationSeconds;
            }
            listener.repetition(i + 2, repetitions + 1);
        }
        Speed speed = Speed.of(promptTokens, prompt);
        return new Result(speed, Speed.of(generatedTokens, generation), promptTokens / speed.median());
    }

    /// Measures generating several sequences at once, each step running one token of each; first one repetition that
    /// does not count.
    ///
    /// @param tokens per sequence; those of all sequences are counted
    /// @throws io.any4.checkpoint.InvalidInputException if the tokens do not fit the model's context
    public Speed together(int sequences, int tokens, int repetitions, Listener listener) {
        if (sequences < 1 || tokens < 1 || repetitions < 1) {
            throw new IllegalArgumentException("nothing to measure: %d sequences of %d tokens, %d repetitions"
                    .formatted(sequences, tokens, repetitions));
        }
        List<KvCache> caches =
                Stream.generate(() -> decoder.newCache(tokens)).limit(sequences).toList();
        float[] logits = new float[sequences * decoder.config().vocabSize()];
        double[] seconds = new double[repetitions];
        for (int i = -1; i < repetitions; i++) {
            double taken = together(caches, tokens, logits);
            if (i >= 0) {
                seconds[i] = taken;
            }
            listener.repetition(i + 2, repetitions + 1);
        }
        return Speed.of(sequences * tokens, seconds);
    }

    private double together(List<KvCache> caches, int tokens, float[] logits) {
        Random random = new Random(SEED);
        caches.forEach(cache -> cache.truncate(0));
        long start = System.nanoTime();
        for (int i = 0; i < tokens; i++) {
            List<Segment> step = caches.stream()
                    .map(cache -> new Segment(
                            new int[] {random.nextInt(decoder.config().vocabSize())}, cache))
                    .toList();
            decoder.logits(decoder.forward(step, Tap.NONE), 0, step.size(), logits);
        }
        return (System.nanoTime() - start) / 1e9;
    }

    private double prompt(int[] ids, int tokens, KvCache cache) {
        cache.truncate(0);
        int[] all = Arrays.copyOf(ids, tokens);
        long start = System.nanoTime();
        NextToken next = decoder.nextToken(Sampling.GREEDY);
        next.choose(decoder.forward(all, cache), tokens - 1);
        next.id();
        return (System.nanoTime() - start) / 1e9;
    }

    private double generation(int first, int tokens, KvCache cache) {
        cache.truncate(0);
        NextToken next = decoder.nextToken(Sampling.GREEDY);
        long start = System.nanoTime();
        next.choose(decoder.forward(new int[] {first}, cache), 0);
        next.id();
        for (int i = 1; i < tokens; i++) {
            next.choose(decoder.forward(next, cache), 0);
            next.id();
        }
        return (System.nanoTime() - start) / 1e9;
    }
}
