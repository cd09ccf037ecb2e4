package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.List;

/// A question whose choices have labels such as A, B, C, as the Allen Institute publishes them: on the hub as
/// `choices: {text: [...], label: [...]}`, in its own files as `question: {stem, choices: [{text, label}, ...]}`.
///
/// @param choices one text per label
record Labelled(String question, List<String> choices, List<String> labels) {
    /// @param field what the question is called on the hub
    static Labelled of(Document document, String field) {
        Document original = document.part("question");
        if (original.has("stem")) {
            List<Document> choices = original.parts("choices");
            return new Labelled(
                    original.text("stem"),
                    choices.stream().map(choice -> choice.text("text")).toList(),
                    choices.stream().map(choice -> choice.text("label")).toList());
        }
        Document choices = document.part("choices");
        return new Labelled(document.text(field), choices.texts("text"), choices.texts("label"));
    }

    /// Which choice the document's `answerKey` is.
    int index(Document document) {
        String key = PythonText.lstrip(document.text("answerKey"));
        int index = labels.indexOf(key);
        if (index < 0) {
            throw new InvalidInputException(
                    "%s: 'answerKey' is '%s', but the choices are %s".formatted(document.where(), key, labels));
        }
        return index;
    }
}
