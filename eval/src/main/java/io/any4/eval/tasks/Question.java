package io.any4.eval.tasks;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Sequences that differ in their last token only, such as the answers A, B, C and D: one run of the model tells the
/// likelihood of each.
///
/// @param input what the model reads
/// @param sequences whose input it is
record Question(int[] input, List<Sequence> sequences) {
    /// Brings equal inputs together.
    ///
    /// @param sorted by input
    static List<Question> of(List<Sequence> sorted) {
        List<Question> questions = new ArrayList<>();
        for (int from = 0; from < sorted.size(); ) {
            int[] input = sorted.get(from).input();
            int to = from + 1;
            while (to < sorted.size() && Arrays.equals(input, sorted.get(to).input())) {
                to++;
            }
            questions.add(new Question(input, sorted.subList(from, to)));
            from = to;
        }
        return questions;
    }

    /// Positions whose predictions are wanted: the last so many of the input.
    int predictions() {
        return sequences.stream().mapToInt(s -> s.target().length).max().orElseThrow();
    }

    /// Tokens of the longest context.
    int context() {
        return sequences.stream().mapToInt(Sequence::context).max().orElseThrow();
    }
}
