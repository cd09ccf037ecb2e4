package io.any4.eval.tasks;

import java.util.List;

/// OpenBookQA (Mihaylov et al., arXiv 1809.02789): questions about elementary science facts, asked without the book.
final class OpenBookQa {
    static final Task TASK = new Task(
            "openbookqa",
            "1.0",
            new DataSource(
                    "allenai/openbookqa", "main", List.of("openbookqa", "openbook_qa"), Split.TEST, Split.TRAIN, null),
            "",
            0,
            Task.Drawing.RANDOM,
            List.of(Metric.ACCURACY, Metric.NORMALIZED_ACCURACY),
            OpenBookQa::item);

    private OpenBookQa() {}

    private static Item item(Document document) {
        if (Prepared.is(document)) {
            return Prepared.multipleChoice(document);
        }
        Labelled labelled = Labelled.of(document, "question_stem");
        return new MultipleChoice(labelled.question(), labelled.choices(), labelled.index(document));
    }
}
