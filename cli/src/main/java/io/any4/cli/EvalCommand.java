package io.any4.cli;

import io.any4.eval.tasks.TaskResult;
import io.any4.eval.tasks.TaskSuite;
import io.any4.tinygemm.Device;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "eval",
        description = {
            "Ask a model the questions of benchmarks.",
            "",
            "Prompts, metrics and standard errors are those of lm-evaluation-harness 0.4.13, so results can be compared with its."
        })
final class EvalCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory, quantized or not.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Mixin
    TaskSelection tasks = new TaskSelection();

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        if (tasks.names.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "name the benchmarks: --tasks piqa,arc_easy");
        }
        Terminal terminal = Terminal.of(root);
        TaskSuite suite = tasks.read(terminal);
        try (Device device = root.openDevice();
                LoadedModel loaded = LoadedModel.open(model, device)) {
            List<TaskResult> results = tasks.run(suite, loaded, terminal).results();
            PrintWriter out = spec.commandLine().getOut();
            if (json) {
                out.println(Json.line(results));
            } else {
                print(results, out);
            }
        }
        return 0;
    }

    private static void print(List<TaskResult> results, PrintWriter out) {
        TextTable table = new TextTable("task", "version", "metric", "value", "std. error", "documents", "shots");
        for (TaskResult result : results) {
            Double error = result.standardError();
            table.add(
                    result.task(),
                    result.version(),
                    result.metric(),
                    "%.4f".formatted(result.value()),
                    error == null ? "" : "%.4f".formatted(error),
                    String.valueOf(result.documents()),
                    String.valueOf(result.shots()));
        }
        table.print(out);
    }
}
