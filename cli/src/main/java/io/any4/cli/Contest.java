package io.any4.cli;

import io.any4.calibrate.QuantizationTime;
import io.any4.engine.Generation;
import io.any4.engine.GenerationOptions;
import io.any4.engine.Generator;
import io.any4.eval.Comparison;
import io.any4.eval.Comparison.Candidate;
import io.any4.eval.ComparisonRow;
import io.any4.eval.RowHistogram;
import io.any4.eval.RowHistograms;
import io.any4.eval.Sample;
import io.any4.eval.Windows;
import io.any4.eval.tasks.TaskSuite;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// An original and quantized versions of it, all loaded, to be compared.
final class Contest implements AutoCloseable {
    /// One model to load.
    ///
    /// @param name what the reader calls it
    /// @param directory its checkpoint
    record Entry(String name, Path directory) {}

    private record Loaded(Entry entry, LoadedModel model) {
        Candidate candidate() {
            CheckpointSummary summary = CheckpointSummary.of(model.checkpoint());
            return new Candidate(
                    entry.name(),
                    summary.settings(),
                    model.decoder(),
                    summary.bytes(),
                    QuantizationTime.of(entry.directory()));
        }
    }

    private final List<Loaded> models = new ArrayList<>();

    /// Loads the models, the original first.
    Contest(List<Entry> entries, Device device) {
        try {
            for (Entry entry : entries) {
                models.add(new Loaded(entry, LoadedModel.open(entry.directory(), device)));
            }
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    Windows windows(String text, @Nullable Integer length) {
        return models.getFirst().model().windows(text, length);
    }

    Comparison compare(Windows windows, Terminal terminal) {
        List<Candidate> candidates = models.stream().map(Loaded::candidate).toList();
        long runs = (long) windows.count() * candidates.size();
        try (Progress progress = terminal.progress("comparing", runs, Progress.Unit.of("windows"))) {
            return Comparison.run(
                    candidates.getFirst(),
                    candidates.subList(1, candidates.size()),
                    windows,
                    (done, total, perplexity) -> progress.to(done));
        }
    }

    /// Adds what the models make of benchmarks.
    Comparison ask(Comparison comparison, TaskSuite suite, TaskSelection tasks, Terminal terminal) {
        List<ComparisonRow> rows = new ArrayList<>();
        for (int i = 0; i < models.size(); i++) {
            LoadedModel model = models.get(i).model();
            rows.add(comparison
                    .rows()
                    .get(i)
                    .withTasks(tasks.run(suite, model, terminal).results()));
        }
        return new Comparison(rows, comparison.layers());
    }

    /// A row of the first model with learned tables, or null if none has any.
    @Nullable
    RowHistogram histogram() {
        LoadedModel original = models.getFirst().model();
        return models.stream()
                .skip(1)
                .map(loaded -> RowHistograms.of(
                        original.decoder(),
                        loaded.model().decoder(),
                        loaded.entry().name()))
                .filter(Objects::nonNull)
                .findFirst()
                .orElse(null);
    }

    /// What a model makes of a prompt.
    Sample sample(String name, String prompt, int maxTokens, Sampling sampling) {
        Loaded loaded = models.stream()
                .filter(model -> model.entry().name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("no model is called " + name));
        try (Tokenizer tokenizer = Tokenizer.load(loaded.entry().directory())) {
            int[] ids = tokenizer.encode(prompt, true);
            Set<Integer> stops = Set.copyOf(loaded.model().decoder().config().eosIds());
            Generation generation = new Generator(loaded.model().decoder())
                    .generate(ids, new GenerationOptions(maxTokens, sampling, stops), id -> true);
            return new Sample(name, prompt, tokenizer.decode(generation.ids()));
        }
    }

    @Override
    public void close() {
        models.forEach(loaded -> loaded.model().close());
    }
}
