package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.List;

/// WinoGrande (Sakaguchi et al., arXiv 1907.10641): whom or what does the gap stand for?
final class WinoGrande {
    static final Task TASK = new Task(
            "winogrande",
            "1.0",
            new DataSource(
                    "allenai/winogrande",
                    "winogrande_xl",
                    List.of("winogrande", "winogrande_xl", "winogrande_1.1"),
                    Split.VALIDATION,
                    Split.TRAIN,
                    null),
            "",
            0,
            Task.Drawing.RANDOM_OTHERS,
            List.of(Metric.ACCURACY),
            WinoGrande::item);

    private WinoGrande() {}

    private static Item item(Document document) {
        if (document.has("context_options")) {
            List<String> contexts = document.texts("context_options");
            return new FillIn(contexts, document.text("continuation"), document.index("gold", contexts.size()));
        }
        String sentence = document.text("sentence");
        int gap = sentence.indexOf('_');
        if (gap < 0) {
            throw new InvalidInputException(document.where() + ": 'sentence' has no gap, written as _");
        }
        String before = sentence.substring(0, gap);
        return new FillIn(
                List.of(before + document.text("option1"), before + document.text("option2")),
                PythonText.strip(sentence.substring(gap + 1)),
                answer(document));
    }

    private static int answer(Document document) {
        return switch (document.text("answer")) {
            case "1" -> 0;
            case "2" -> 1;
            default -> throw new InvalidInputException(document.where() + ": 'answer' is neither 1 nor 2");
        };
    }
}
