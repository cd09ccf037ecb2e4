package io.any4.cli;

import io.any4.engine.Generation;
import io.any4.engine.GenerationDefaults;
import io.any4.engine.GenerationOptions;
import io.any4.engine.Generator;
import io.any4.text.StreamingDecoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

@Command(
        name = "generate",
        description = {
            "Continue a text.",
            "",
            "The same seed gives the same text. What is not given comes from the model's generation_config.json."
        })
final class GenerateCommand implements Callable<Integer> {
    @ParentCommand
    @SuppressWarnings("NullAway.Init")
    Any4Command root;

    @Spec
    @SuppressWarnings("NullAway.Init")
    CommandSpec spec;

    @Parameters(paramLabel = "MODEL", description = "Checkpoint directory, quantized or not.")
    @SuppressWarnings("NullAway.Init")
    Path model;

    @Parameters(paramLabel = "PROMPT", description = "The text to continue, in quotes.")
    @SuppressWarnings("NullAway.Init")
    String prompt;

    @Option(
            names = "--max-tokens",
            paramLabel = "N",
            defaultValue = "64",
            description = "New tokens at most. Default: ${DEFAULT-VALUE}.")
    int maxTokens;

    @Option(
            names = "--temperature",
            paramLabel = "T",
            description = "0 takes the likeliest token; higher is more varied.")
    @Nullable
    Double temperature;

    @Option(names = "--top-k", paramLabel = "K", description = "Draw from the K likeliest tokens only; 0 for all.")
    @Nullable
    Integer topK;

    @Option(
            names = "--top-p",
            paramLabel = "P",
            description = "Draw from the likeliest tokens of total probability P only; 1 for all.")
    @Nullable
    Double topP;

    @Option(
            names = "--seed",
            paramLabel = "N",
            defaultValue = "0",
            description = "Seed of the draws. Default: ${DEFAULT-VALUE}.")
    long seed;

    @Mixin
    @SuppressWarnings("NullAway.Init")
    CacheOptions cache;

    @Option(names = "--json", description = "Print JSON when done, rather than text as it comes.")
    boolean json;

    @Override
    public Integer call() {
        if (prompt.isEmpty()) {
            throw new ParameterException(spec.commandLine(), "the prompt is empty: give some text to continue");
        }
        try (Device device = root.openDeviceToRun();
                LoadedModel loaded = LoadedModel.open(model, device);
                Tokenizer tokenizer = Tokenizer.load(model)) {
            cache.applyToRun(loaded.decoder());
            GenerationDefaults defaults =
                    GenerationDefaults.read(model, loaded.decoder().config());
            GenerationOptions options = new GenerationOptions(maxTokens, sampling(defaults), defaults.stopIds());
            int[] ids = tokenizer.encode(prompt, true);
            if (json) {
                Generation generation = new Generator(loaded.decoder()).generate(ids, options, id -> true);
                spec.commandLine().getOut().println(Json.line(result(ids, generation, tokenizer)));
            } else {
                stream(ids, options, new Generator(loaded.decoder()), tokenizer.streaming(ids));
            }
        }
        return 0;
    }

    private Sampling sampling(GenerationDefaults defaults) {
        return new Sampling(
                temperature == null ? defaults.temperature() : temperature,
                topK == null ? defaults.topK() : topK,
                topP == null ? defaults.topP() : topP,
                seed);
    }

    private void stream(int[] ids, GenerationOptions options, Generator generator, StreamingDecoder text) {
        PrintWriter out = spec.commandLine().getOut();
        StringBuilder unprinted = new StringBuilder(prompt); // until it is known to fit the context
        Generation generation = generator.generate(ids, options, id -> {
            out.print(unprinted.append(text.next(id)));
            out.flush();
            unprinted.setLength(0);
            return !out.checkError();
        });
        out.println(unprinted + text.finish());
        out.flush();
        Terminal.of(root)
                .note("%d tokens, %.1f tokens/s; prompt of %d tokens, %.1f tokens/s"
                        .formatted(
                                generation.ids().length,
                                generation.decodeSpeed(),
                                generation.promptTokens(),
                                generation.prefillSpeed()));
    }

    private Map<String, Object> result(int[] ids, Generation generation, Tokenizer tokenizer) {
        Map<String, Object> result = new LinkedHashMap<>();
        result.put("prompt", prompt);
        result.put("text", tokenizer.continuation(ids, generation.ids()));
        result.put("ids", generation.ids());
        result.put("stopped", generation.reason().name().toLowerCase(Locale.ROOT));
        result.put("promptTokens", generation.promptTokens());
        result.put("prefillTokensPerSecond", generation.prefillSpeed());
        result.put("decodeTokensPerSecond", generation.decodeSpeed());
        return result;
    }
}
