package io.any4.model;

import io.any4.tinygemm.Span;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Tokens that go through the blocks together: those of several sequences, one sequence after the other.
///
/// @param ids all of them
/// @param parts which belong to which sequence
record Batch(int[] ids, List<Part> parts) {
    /// Segments, in order, in as few batches of at most `most` tokens as hold them; long segments are cut.
    static List<Batch> of(List<Segment> segments, int most) {
        if (segments.stream().map(Segment::cache).distinct().count() < segments.size()) {
            throw new IllegalArgumentException("two segments continue the same cache");
        }
        List<Batch> batches = new ArrayList<>();
        int[] ids = new int[most];
        List<Part> parts = new ArrayList<>();
        int tokens = 0;
        for (Segment segment : segments) {
            int count;
            for (int from = 0; from < segment.ids().length; from += count) {
                count = Math.min(segment.ids().length - from, most - tokens);
                System.arraycopy(segment.ids(), from, ids, tokens, count);
                parts.add(new Part(new Span(tokens, count), segment.cache()));
                tokens += count;
                if (tokens == most) {
                    batches.add(new Batch(ids.clone(), List.copyOf(parts)));
                    parts.clear();
                    tokens = 0;
                }
            }
        }
        if (tokens > 0) {
            batches.add(new Batch(Arrays.copyOf(ids, tokens), List.copyOf(parts)));
        }
        return batches;
    }

    int tokens() {
        return ids.length;
    }
}
