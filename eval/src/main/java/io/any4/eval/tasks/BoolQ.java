package io.any4.eval.tasks;

import java.util.List;

/// BoolQ (Clark et al., arXiv 1905.10044): questions about a passage, answered by yes or no.
final class BoolQ {
    private static final List<String> CHOICES = List.of("no", "yes");

    static final Task TASK = new Task(
            "boolq",
            "2.0",
            new DataSource(
                    "aps/super_glue", "boolq", List.of("boolq", "super_glue"), Split.VALIDATION, Split.TRAIN, null),
            "",
            0,
            Task.Drawing.RANDOM_OTHERS,
            List.of(Metric.ACCURACY),
            BoolQ::item);

    private BoolQ() {}

    private static Item item(Document document) {
        String text = "%s\nQuestion: %s?\nAnswer:".formatted(document.text("passage"), document.text("question"));
        return new MultipleChoice(text, CHOICES, label(document));
    }

    /// SuperGLUE has numbers, its JSON files and the original have booleans.
    private static int label(Document document) {
        String field = document.has("label") ? "label" : "answer";
        if (document.fields().path(field).isBoolean()) {
            return document.fields().path(field).booleanValue() ? 1 : 0;
        }
        return document.index(field, CHOICES.size());
    }
}
