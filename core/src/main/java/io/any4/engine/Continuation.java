package io.any4.engine;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// The tokens that a generation has chosen so far, and whether it is over.
final class Continuation {
    private final KvCache cache;
    private final GenerationOptions options;
    private final TokenListener listener;
    private final int[] stopIds;
    private final int[] ids;
    private int count;

    Continuation(KvCache cache, GenerationOptions options, TokenListener listener) {
        this.cache = cache;
        this.options = options;
        this.listener = listener;
        this.stopIds = options.stopIds().stream().mapToInt(Integer::intValue).toArray();
        this.ids = new int[options.maxTokens()];
    }

    /// A cache with room for a prompt and what may follow; the last token is chosen but not run, so it needs none.
    static KvCache cache(Decoder decoder, int promptTokens, GenerationOptions options) {
        int context = decoder.config().contextLength();
        long wanted = (long) promptTokens + options.maxTokens() - 1;
        return decoder.newCache((int) Math.max(promptTokens, Math.min(context, wanted)));
    }

    /// Takes a chosen token; the reason to stop there, or null to go on.
    @Nullable
    StopReason append(int id) {
        if (isStop(id)) {
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

    private boolean isStop(int id) {
        for (int stop : stopIds) {
            if (stop == id) {
                return true;
            }
        }
        return false;
    }

    /// The chosen tokens, without one that ended the sequence.
    int[] ids() {
        return Arrays.copyOf(ids, count);
    }
}
