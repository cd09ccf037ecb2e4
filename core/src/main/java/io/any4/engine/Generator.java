package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.model.KvCache;

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
        return new Run(Continuation.cache(decoder, prompt.length, options), options, listener).from(prompt);
    }

    /// One generation in progress.
    private final class Run {
        private final KvCache cache;
        private final Continuation continuation;
        private final Sampler sampler;
        private final float[] logits = new float[decoder.config().vocabSize()];

        Run(KvCache cache, GenerationOptions options, TokenListener listener) {
            this.cache = cache;
            this.continuation = new Continuation(cache, options, listener);
            this.sampler = new Sampler(options.sampling());
        }

        Generation from(int[] prompt) {
            long start = System.nanoTime();
            int id = choose(prompt);
            long first = System.nanoTime();
            int[] step = new int[1];
            StopReason reason;
            while ((reason = continuation.append(id)) == null) {
                step[0] = id;
                id = choose(step);
            }
            long end = System.nanoTime();
            return new Generation(
                    continuation.ids(), reason, prompt.length, (first - start) / 1e9, (end - start) / 1e9);
        }

        private int choose(int[] newest) {
            decoder.logits(decoder.forward(newest, cache), newest.length - 1, 1, logits);
            return sampler.next(logits);
        }
    }
}
