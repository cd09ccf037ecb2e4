package io.any4.cli;

import io.any4.eval.ComparisonRow;
import io.any4.eval.tasks.TaskResult;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// What compared models made of benchmarks, for the terminal: a line per number, a column per model.
final class TaskTable {
    private TaskTable() {}

    static void print(List<ComparisonRow> rows, PrintWriter out) {
        List<TaskResult> first = rows.getFirst().tasks();
        if (first.isEmpty()) {
            return;
        }
        Stream<String> names = rows.stream().map(ComparisonRow::name);
        TextTable table =
                new TextTable(Stream.concat(Stream.of("task", "metric"), names).toArray(String[]::new));
        for (int i = 0; i < first.size(); i++) {
            List<String> cells =
                    new ArrayList<>(List.of(first.get(i).task(), first.get(i).metric()));
            for (ComparisonRow row : rows) {
                TaskResult result = row.tasks().get(i);
                Double error = result.standardError();
                cells.add("%.4f".formatted(result.value()) + (error == null ? "" : " ± %.4f".formatted(error)));
            }
            table.add(cells.toArray(String[]::new));
        }
        out.println();
        table.print(out);
    }
}
