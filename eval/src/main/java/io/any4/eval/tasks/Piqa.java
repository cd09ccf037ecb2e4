package io.any4.eval.tasks;

import java.util.List;

/// PIQA (Bisk et al., arXiv 1911.11641): which of two ways achieves a physical goal?
final class Piqa {
    static final Task TASK = new Task(
            "piqa",
            "1.0",
            new DataSource("baber/piqa", null, List.of("piqa"), Split.VALIDATION, Split.TRAIN, null),
            "",
            0,
            Task.Drawing.RANDOM_OTHERS,
            List.of(Metric.ACCURACY, Metric.NORMALIZED_ACCURACY),
            Piqa::item);

    private Piqa() {}

    private static Item item(Document document) {
        return new MultipleChoice(
                "Question: " + document.text("goal") + "\nAnswer:",
                List.of(document.text("sol1"), document.text("sol2")),
                document.index("label", 2));
    }
}
