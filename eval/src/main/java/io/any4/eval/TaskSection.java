package io.any4.eval;

import io.any4.eval.tasks.TaskResult;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// The section of a report that shows benchmarks: a line per number, a column per model.
final class TaskSection {
    private TaskSection() {}

    /// @return plain HTML, empty if there are no results
    static String render(List<ComparisonRow> models) {
        int count = models.getFirst().tasks().size();
        if (count == 0) {
            return "";
        }
        String lines = IntStream.range(0, count).mapToObj(i -> line(i, models)).collect(Collectors.joining("\n"));
        return """
                <section>
                <h2>What they know</h2>
                <p class="note">Benchmarks with the prompts and metrics of lm-evaluation-harness, ± standard error.
                Accuracies and matches are shares of right answers; of perplexities the lower is the better one.</p>
                <div class="scroll">
                <table><thead>%s</thead>
                <tbody>
                %s
                </tbody></table>
                </div>
                </section>""".formatted(head(models), lines);
    }

    private static String head(List<ComparisonRow> models) {
        return models.stream()
                .map(model -> "<th scope=\"col\">%s</th>".formatted(HtmlReport.escape(model.name())))
                .collect(Collectors.joining("", "<tr><th scope=\"col\">Task</th>", "</tr>"));
    }

    private static String line(int index, List<ComparisonRow> models) {
        TaskResult first = models.getFirst().tasks().get(index);
        String settings = "%s, %d-shot, %d document%s"
                .formatted(first.metric(), first.shots(), first.documents(), first.documents() == 1 ? "" : "s");
        return models.stream()
                .map(model -> cell(model.tasks().get(index)))
                .collect(Collectors.joining(
                        "",
                        "<tr><th scope=\"row\">%s<small>%s</small></th>"
                                .formatted(HtmlReport.escape(first.task()), HtmlReport.escape(settings)),
                        "</tr>"));
    }

    private static String cell(TaskResult result) {
        Double error = result.standardError();
        String plusMinus = error == null ? "" : String.format(Locale.ROOT, " ± %.4f", error);
        return String.format(Locale.ROOT, "<td>%.4f%s</td>", result.value(), plusMinus);
    }
}
