package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.List;
import java.util.Locale;

/// COPA (Roemmele et al., 2011): the more plausible cause or effect.
final class Copa {
    static final Task TASK = new Task(
            "copa",
            "1.0",
            new DataSource(
                    "aps/super_glue", "copa", List.of("copa", "super_glue"), Split.VALIDATION, Split.TRAIN, null),
            "",
            0,
            Task.Drawing.RANDOM_OTHERS,
            List.of(Metric.ACCURACY),
            Copa::item);

    private Copa() {}

    private static Item item(Document document) {
        if (Prepared.is(document)) {
            MultipleChoice prepared = Prepared.multipleChoice(document);
            return new MultipleChoice(prepared.text(), clauses(prepared.choices()), prepared.gold());
        }
        return new MultipleChoice(
                premise(document) + " " + connector(document),
                clauses(List.of(document.text("choice1"), document.text("choice2"))),
                document.index("label", 2));
    }

    /// The premise without the period at its end.
    private static String premise(Document document) {
        String premise = PythonText.strip(document.text("premise"));
        return premise.isEmpty() ? premise : premise.substring(0, premise.offsetByCodePoints(premise.length(), -1));
    }

    private static String connector(Document document) {
        return switch (document.text("question")) {
            case "cause" -> "because";
            case "effect" -> "therefore";
            default ->
                throw new InvalidInputException(document.where() + ": 'question' is neither 'cause' nor 'effect'");
        };
    }

    /// Each choice as the end of a sentence. The space comes on top of the usual one: the harness has both.
    private static List<String> clauses(List<String> choices) {
        return choices.stream()
                .map(choice -> " " + choice.substring(0, 1).toLowerCase(Locale.ROOT) + choice.substring(1))
                .toList();
    }
}
