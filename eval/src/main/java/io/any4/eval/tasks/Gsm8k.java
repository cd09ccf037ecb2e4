package io.any4.eval.tasks;

import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/// GSM8K (Cobbe et al., arXiv 2110.14168): grade-school mathematics, answered in writing after five examples.
final class Gsm8k {
    private static final int MOST_TOKENS = 256;
    private static final List<String> STOPS = List.of("Question:", "</s>", "<|im_end|>");

    private static final List<Pattern> IGNORED =
            List.of(pattern(","), pattern("\\$"), pattern("(?s).*#### "), pattern("\\.$"));

    static final Map<Metric, AnswerJudge> JUDGES = Map.of(
            Metric.STRICT_MATCH, new AnswerJudge(pattern("#### (\\-?[0-9\\.\\,]+)"), false, IGNORED),
            Metric.FLEXIBLE_MATCH, new AnswerJudge(pattern("(-?[$0-9.,]{2,})|(-?[0-9]+)"), true, IGNORED));

    static final Task TASK = new Task(
            "gsm8k",
            "3.0",
            new DataSource("openai/gsm8k", "main", List.of("gsm8k"), Split.TEST, Split.TRAIN, null),
            "",
            5,
            Task.Drawing.RANDOM,
            List.of(Metric.STRICT_MATCH, Metric.FLEXIBLE_MATCH),
            Gsm8k::item);

    private Gsm8k() {}

    private static Item item(Document document) {
        return new Problem(
                "Question: " + document.text("question") + "\nAnswer:",
                document.text("answer"),
                STOPS,
                MOST_TOKENS,
                JUDGES);
    }

    /// Only a line feed ends a line for `$` and `.`, as in Python.
    private static Pattern pattern(String regex) {
        return Pattern.compile(regex, Pattern.UNIX_LINES);
    }
}
