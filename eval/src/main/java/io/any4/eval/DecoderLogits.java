package io.any4.eval;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.Buffer;
import org.jspecify.annotations.Nullable;

/// A [Decoder] as a source of logits for windows of one length.
final class DecoderLogits implements LogitSource {
    private final Decoder decoder;
    private final KvCache cache;
    private @Nullable Buffer hidden;

    DecoderLogits(Decoder decoder, int window) {
        this.decoder = decoder;
        this.cache = decoder.newCache(window);
    }

    @Override
    public int vocabulary() {
        return decoder.config().vocabSize();
    }

    @Override
    public void forward(int[] ids) {
        cache.truncate(0);
        hidden = decoder.forward(ids, cache);
    }

    @Override
    public void logits(int from, int count, float[] out) {
        if (hidden == null) {
            throw new IllegalStateException("no window was run");
        }
        decoder.logits(hidden, from, count, out);
    }
}
