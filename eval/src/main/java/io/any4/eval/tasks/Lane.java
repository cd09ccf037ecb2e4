package io.any4.eval.tasks;

import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.Segment;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/// Asks questions one after the other; what a question has in common with the one before it is not computed again.
final class Lane {
    private final Decoder decoder;
    private KvCache cache;
    private int[] cached = new int[0];
    private Iterator<Question> waiting = List.<Question>of().iterator();

    /// A question about to be run.
    ///
    /// @param segment the part of its input that is not in the cache
    /// @param firstRow the row of the segment that makes the first prediction that is wanted
    record Run(Question question, Segment segment, int firstRow) {}

    Lane(Decoder decoder) {
        this.decoder = decoder;
        this.cache = decoder.newCache(0);
    }

    /// Whether everything has been asked.
    boolean idle() {
        return !waiting.hasNext();
    }

    /// Takes on a family.
    void take(Family family) {
        if (cache.capacity() < family.longest()) {
            cache = decoder.newCache(family.longest());
            cached = new int[0];
        }
        waiting = family.questions().iterator();
    }

    /// The next question, which must be run before the one after it is asked for.
    Run next() {
        Question question = waiting.next();
        int[] input = question.input();
        int mismatch = Arrays.mismatch(cached, input);
        int common = mismatch < 0 ? input.length : mismatch;
        int needed = input.length - question.predictions();
        int from = Math.min(common, needed);
        cache.truncate(from);
        cached = input;
        return new Run(question, new Segment(Arrays.copyOfRange(input, from, input.length), cache), needed - from);
    }
}
