package io.any4.eval.tasks;

import java.util.List;
import java.util.Locale;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;

/// Finds the answer in a generated text and compares it with the reference.
///
/// @param answer matches the answer; its first group that took part is the answer itself
/// @param last whether the last match counts, instead of the first
/// @param ignored removed from the found answer and from the reference, one after the other, before they are compared
record AnswerJudge(Pattern answer, boolean last, List<Pattern> ignored) {
    /// Stands for an answer that was not found; equals no reference.
    static final String NONE = "[invalid]";

    AnswerJudge {
        ignored = List.copyOf(ignored);
    }

    boolean accepts(String written, String reference) {
        return comparable(extract(written)).equals(comparable(reference));
    }

    String extract(String written) {
        List<MatchResult> matches = answer.matcher(written).results().toList();
        if (matches.isEmpty()) {
            return NONE;
        }
        MatchResult match = last ? matches.getLast() : matches.getFirst();
        for (int group = 1; group <= match.groupCount(); group++) {
            String found = match.group(group);
            if (found != null && !found.isEmpty()) {
                return PythonText.strip(found);
            }
        }
        return NONE;
    }

    private String comparable(String text) {
        String rest = text;
        for (Pattern pattern : ignored) {
            rest = pattern.matcher(rest).replaceAll("");
        }
        return rest.toLowerCase(Locale.ROOT);
    }
}
