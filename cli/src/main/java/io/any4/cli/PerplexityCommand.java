package io.any4.cli;

import io.any4.eval.Perplexity;
import io.any4.eval.PerplexityResult;
import io.any4.eval.Windows;
import io.any4.tinygemm.Device;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "perplexity",
        description = {
            "Measure how well a model predicts a text; lower is better.",
            "",
            "The text is tokenized once and cut into windows that do not overlap; what is left at the end is dropped. Perplexity is exp of "
                    + "the mean over windows of the mean cross-entropy, as in the GPTQ paper's code, so published values can be compared."
        })
final class PerplexityCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory, quantized or not.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Option(names = "--text", paramLabel = "FILE", required = true, description = "UTF-8 text to predict.")
    @SuppressWarnings("NullAway.Init")
    Path text;

    @Option(
            names = "--window",
            paramLabel = "TOKENS",
            description = "Tokens per window. Default: 2048, or the model's context if that is shorter.")
    @Nullable
    Integer window;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    CacheOptions cache;

    @Option(names = "--json", description = "Print JSON.")
    boolean json;

    @Override
    public Integer call() {
        String contents = TextFiles.read(text);
        Terminal terminal = Terminal.of(root);
        try (Device device = root.openDevice();
                LoadedModel loaded = LoadedModel.open(model, device)) {
            cache.applyToMeasure(loaded.decoder());
            Windows windows = loaded.windows(contents, window);
            if (windows.shortened()) {
                terminal.note(
                        "%s has only %d tokens: measuring one window of that length".formatted(text, windows.length()));
            }
            try (Progress progress = terminal.progress("perplexity", windows.count(), Progress.Unit.of("windows"))) {
                print(Perplexity.measure(loaded.decoder(), windows, (done, total, perplexity) -> {
                    progress.note("perplexity %.3f".formatted(perplexity));
                    progress.to(done);
                }));
            }
        }
        return 0;
    }

    private void print(PerplexityResult result) {
        PrintWriter out = spec.commandLine().getOut();
        if (json) {
            out.println(Json.line(result));
            return;
        }
        out.printf(
                "perplexity %.4f  (%.4f bits per byte, %d windows of %d tokens, %.0f tokens/s)%n",
                result.perplexity(), result.bitsPerByte(), result.windows(), result.window(), result.tokensPerSecond());
    }
}
