package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;

/// Questions that begin alike, such as those about one document: best asked one after the other, so that what they
/// share is computed once. Different families have little in common and are best asked side by side.
///
/// @param questions in the order of their tokens
record Family(List<Question> questions) {
    /// The families, the one with the longest question first: memory is then claimed at the start, if at all.
    ///
    /// @param sorted by input
    static List<Family> of(List<Question> sorted) {
        List<Family> families = new ArrayList<>();
        for (int from = 0; from < sorted.size(); ) {
            int to = from + 1;
            while (to < sorted.size() && related(sorted.get(to - 1), sorted.get(to))) {
                to++;
            }
            families.add(new Family(sorted.subList(from, to)));
            from = to;
        }
        families.sort(Comparator.comparingInt(Family::longest).reversed());
        return families;
    }

    /// Whether at least half of the second one's context is in the first.
    private static boolean related(Question first, Question second) {
        int mismatch = Arrays.mismatch(first.input(), second.input());
        int common = mismatch < 0 ? second.input().length : mismatch;
        return 2 * common >= second.context();
    }

    /// Tokens of the longest question.
    int longest() {
        return questions.stream().mapToInt(q -> q.input().length).max().orElseThrow();
    }
}
