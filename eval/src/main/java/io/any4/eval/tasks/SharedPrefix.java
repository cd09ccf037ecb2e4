package io.any4.eval.tasks;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.Buffer;
import java.util.Arrays;

/// Runs sequences one after the other; what a sequence has in common with the one before it is not computed again.
final class SharedPrefix {
    private final Decoder decoder;
    private KvCache cache;
    private int[] cached = new int[0];
    private int firstRow;

    SharedPrefix(Decoder decoder) {
        this.decoder = decoder;
        this.cache = decoder.newCache(0);
    }

    /// Makes room for sequences of this length.
    void reserve(int length) {
        if (cache.capacity() < length) {
            cache = decoder.newCache(length);
            cached = new int[0];
        }
    }

    /// Runs a sequence.
    ///
    /// @param needed the first position whose hidden state the caller will use
    /// @return hidden states of the positions from [#firstRow] on, valid until the next call
    Buffer forward(int[] ids, int needed) {
        reserve(ids.length);
        int mismatch = Arrays.mismatch(cached, ids);
        int common = mismatch < 0 ? ids.length : mismatch;
        firstRow = Math.min(common, needed);
        cache.truncate(firstRow);
        cached = ids;
        return decoder.forward(Arrays.copyOfRange(ids, firstRow, ids.length), cache);
    }

    /// Position of the first row of the last result.
    int firstRow() {
        return firstRow;
    }
}
