package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.NextToken;

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
        private final NextToken next;

        Run(KvCache cache, GenerationOptions options, TokenListener listener) {
            this.cache = cache;
            this.continuation = new Continuation(cache, options, listener);
            this.next = decoder.nextToken(options.sampling());
        }

        Generation from(int[] prompt) {
            long start = System.nanoTime();
            next.choose(decoder.forward(prompt, cache), prompt.length - 1);
            int id = next.id();
            long first = System.nanoTime();
            StopReason reason;
            while ((reason = continuation.append(id)) == null) {
                next.choose(decoder.forward(next, cache), 0);
                id = next.id();
            }
            long end = System.nanoTime();
            return new Generation(
                    continuation.ids(), reason, prompt.length, (first - start) / 1e9, (end - start) / 1e9);
        }
    }
}
