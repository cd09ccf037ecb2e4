package io.any4.eval.tasks;

import java.util.List;

/// Documents that another evaluation tool has already turned into `query`, `choices` and `gold`: the query is the
/// prompt as it stands.
final class Prepared {
    private Prepared() {}

    static boolean is(Document document) {
        return document.has("query") && document.has("choices") && document.has("gold");
    }

    static MultipleChoice multipleChoice(Document document) {
        List<String> choices = document.texts("choices");
        return new MultipleChoice(document.text("query"), choices, document.index("gold", choices.size()));
    }
}
