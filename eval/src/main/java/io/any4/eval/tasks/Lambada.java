package io.any4.eval.tasks;

import java.util.List;

/// LAMBADA (Paperno et al., arXiv 1606.06031): the last word of a passage, which needs all of it; in OpenAI's version,
/// with its punctuation as published.
final class Lambada {
    static final Task TASK = new Task(
            "lambada_openai",
            "1.0",
            new DataSource(
                    "EleutherAI/lambada_openai",
                    "default",
                    List.of("lambada", "lambada_openai"),
                    Split.TEST,
                    Split.TEST,
                    null),
            "",
            0,
            Task.Drawing.RANDOM,
            List.of(Metric.PERPLEXITY, Metric.ACCURACY),
            Lambada::item);

    private Lambada() {}

    private static Item item(Document document) {
        if (document.has("continuation")) {
            return new Completion(document.text("context"), " " + document.text("continuation"));
        }
        String text = document.text("text");
        int space = text.lastIndexOf(' ');
        return new Completion(text.substring(0, Math.max(space, 0)), " " + text.substring(space + 1));
    }
}
