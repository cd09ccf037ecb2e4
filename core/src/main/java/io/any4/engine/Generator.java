package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Continues prompts, one at a time.
public final class Generator {
    private final Decoder decoder;

    public Generator(Decoder decoder) {
        this.decoder = decoder;
    }

    /// Continues a prompt until a stop id, the requested length or the end of the model's context.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the prompt is empty or longer than the context
    public Generation generate(int[] prompt, GenerationOptions options, TokenListener listener) {
        int context = decoder.config().contextLength();
        // The last token is chosen but not run, so it needs no room.
        long wanted = (long) prompt.length + options.maxTokens() - 1;
        KvCache cache = decoder.newCache((int) Math.max(prompt.length, Math.min(context, wanted)));
        return new Run(cache, options, listener).from(prompt);
    }

    /// One generation in progress.
    private final class Run {
        private final KvCache cache;
        private final GenerationOptions options;
        private final TokenListener listener;
        private final Sampler sampler;
        private final float[] logits = new float[decoder.config().vocabSize()];
        private final int[] ids;
        private int count;

        Run(KvCache cache, GenerationOptions options, TokenListener listener) {
            this.cache = cache;
            this.options = options;
            this.listener = listener;
            this.sampler = new Sampler(options.sampling());
            this.ids = new int[options.maxTokens()];
        }

        Generation from(int[] prompt) {
            long start = System.nanoTime();
            int id = choose(prompt);
            long first = System.nanoTime();
            int[] step = new int[1];
            StopReason reason;
            while ((reason = append(id)) == null) {
                step[0] = id;
                id = choose(step);
            }
            long end = System.nanoTime();
            return new Generation(
                    Arrays.copyOf(ids, count), reason, prompt.length, (first - start) / 1e9, (end - start) / 1e9);
        }

        private int choose(int[] newest) {
            decoder.logits(decoder.forward(newest, cache), newest.length - 1, 1, logits);
            return sampler.next(logits);
        }

        /// Takes a chosen token; the reason to stop there, or null to go on.
        private @Nullable StopReason append(int id) {
            if (options.stopIds().contains(id)) {
                return StopReason.END_OF_SEQUENCE;
            }
            ids[count++] = id;
            if (!listener.token(id)) {
                return StopReason.LISTENER;
            }
            if (count == options.maxTokens()) {
                return StopReason.MAX_TOKENS;
            }
            return cache.remaining() == 0 ? StopReason.CONTEXT_FULL : null;
        }
    }
}
