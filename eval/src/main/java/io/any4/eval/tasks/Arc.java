package io.any4.eval.tasks;

import java.util.List;

/// The AI2 Reasoning Challenge (Clark et al., arXiv 1803.05457): science questions from school, in an easy and a
/// challenging set.
final class Arc {
    static final Task EASY =
            task("arc_easy", "ARC-Easy", List.of("arc_easy", "arc-easy", "arc_easy_rc_0shot", "ai2_arc"));
    static final Task CHALLENGE =
            task("arc_challenge", "ARC-Challenge", List.of("arc_challenge", "arc-challenge", "ai2_arc"));

    private Arc() {}

    private static Task task(String name, String config, List<String> files) {
        return new Task(
                name,
                "1.0",
                new DataSource("allenai/ai2_arc", config, files, Split.TEST, Split.TRAIN, null),
                "",
                0,
                Task.Drawing.RANDOM,
                List.of(Metric.ACCURACY, Metric.NORMALIZED_ACCURACY),
                Arc::item);
    }

    private static Item item(Document document) {
        if (Prepared.is(document)) {
            return Prepared.multipleChoice(document);
        }
        Labelled labelled = Labelled.of(document, "question");
        return new MultipleChoice(
                "Question: " + labelled.question() + "\nAnswer:", labelled.choices(), labelled.index(document));
    }
}
