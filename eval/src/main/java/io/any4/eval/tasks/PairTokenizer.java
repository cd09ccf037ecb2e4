package io.any4.eval.tasks;

import io.any4.text.Tokenizer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/// Tokenizes contexts and continuations as lm-evaluation-harness does: both as one text, because a token may depend on
/// what precedes it, which is then cut where the context alone would end.
final class PairTokenizer {
    /// @param ids all tokens
    /// @param contextLength how many of them are the context
    record Pair(int[] ids, int contextLength) {}

    private final Tokenizer tokenizer;
    private final @Nullable String bosText;
    private @Nullable String lastContext;
    private int lastContextLength;

    PairTokenizer(Tokenizer tokenizer) {
        this.tokenizer = tokenizer;
        int bos = beginning();
        this.bosText = bos < 0 ? null : tokenizer.decode(new int[] {bos}, false);
    }

    /// Spaces at the end of the context count as part of the continuation, as a token that begins a word includes them.
    Pair encode(Request.Likelihood request) {
        String context = request.context();
        if (context.isEmpty()) {
            return afterBeginning(request.continuation());
        }
        String all = context + request.continuation();
        return new Pair(encode(all), contextLength(PythonText.rstrip(context)));
    }

    /// A text with the special tokens it usually has, unless it starts with the text of one itself.
    int[] encode(String text) {
        boolean hasBeginning = bosText != null && !bosText.isEmpty() && text.startsWith(bosText);
        return tokenizer.encode(text, !hasBeginning);
    }

    /// Requests of one document follow each other and have the same context.
    private int contextLength(String context) {
        if (!Objects.equals(context, lastContext)) {
            lastContext = context;
            lastContextLength = encode(context).length;
        }
        return lastContextLength;
    }

    /// Without a context the model starts from its beginning-of-sequence token.
    private Pair afterBeginning(String continuation) {
        int[] ids = tokenizer.encode(continuation, false);
        int beginning = beginning();
        if (beginning < 0 || ids.length > 0 && ids[0] == beginning) {
            return new Pair(ids, Math.min(1, ids.length));
        }
        int[] all = new int[ids.length + 1];
        all[0] = beginning;
        System.arraycopy(ids, 0, all, 1, ids.length);
        return new Pair(all, 1);
    }

    private int beginning() {
        return tokenizer.bosId() >= 0 ? tokenizer.bosId() : tokenizer.eosId();
    }
}
