package io.any4.eval.tasks;

import java.util.List;
import java.util.regex.Pattern;

/// HellaSwag (Zellers et al., arXiv 1905.07830): which sentence follows?
final class HellaSwag {
    /// Artifacts of the WikiHow articles among the sources.
    private static final Pattern BRACKETS = Pattern.compile("\\[.*?\\]", Pattern.UNIX_LINES);

    static final Task TASK = new Task(
            "hellaswag",
            "1.0",
            new DataSource("Rowan/hellaswag", null, List.of("hellaswag"), Split.VALIDATION, Split.TRAIN, null),
            "",
            0,
            Task.Drawing.RANDOM_OTHERS,
            List.of(Metric.ACCURACY, Metric.NORMALIZED_ACCURACY),
            HellaSwag::item);

    private HellaSwag() {}

    private static Item item(Document document) {
        if (Prepared.is(document)) {
            return Prepared.multipleChoice(document);
        }
        String context = document.text("ctx_a") + " " + PythonText.capitalize(document.text("ctx_b"));
        List<String> endings =
                document.texts("endings").stream().map(HellaSwag::clean).toList();
        return new MultipleChoice(
                clean(document.text("activity_label") + ": " + context),
                endings,
                document.index("label", endings.size()));
    }

    private static String clean(String text) {
        String titled = PythonText.strip(text).replace(" [title]", ". ");
        return BRACKETS.matcher(titled).replaceAll("").replace("  ", " ");
    }
}
