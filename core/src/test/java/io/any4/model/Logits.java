package io.any4.model;

import java.util.Arrays;

/// Logits of every position of a sequence, for tests.
final class Logits {
    private Logits() {}

    /// `[ids.length][vocab]`, running the sequence in pieces of `chunk` tokens.
    static float[][] inChunks(Decoder decoder, int[] ids, int chunk) {
        int vocab = decoder.config().vocabSize();
        KvCache cache = decoder.newCache(ids.length);
        float[][] logits = new float[ids.length][];
        for (int from = 0; from < ids.length; from += chunk) {
            int[] piece = Arrays.copyOfRange(ids, from, Math.min(ids.length, from + chunk));
            float[] out = new float[piece.length * vocab];
            decoder.logits(decoder.forward(piece, cache), 0, piece.length, out);
            for (int t = 0; t < piece.length; t++) {
                logits[from + t] = Arrays.copyOfRange(out, t * vocab, (t + 1) * vocab);
            }
        }
        return logits;
    }

    /// The index of the largest value; the first of equals.
    static int argmax(float[] values) {
        int best = 0;
        for (int i = 1; i < values.length; i++) {
            if (values[i] > values[best]) {
                best = i;
            }
        }
        return best;
    }
}
