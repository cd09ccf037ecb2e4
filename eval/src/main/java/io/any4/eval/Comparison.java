package io.any4.eval;

import static java.util.Objects.requireNonNull;

import io.any4.calibrate.QuantizationTime;
import io.any4.checkpoint.InvalidInputException;
import io.any4.eval.LinearLayers.SquaredError;
import io.any4.model.Decoder;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A model and quantized versions of it, measured side by side on the same windows.
///
/// @param rows one per model, the original first
/// @param layers errors of the linear layers of the quantized models
public record Comparison(List<ComparisonRow> rows, List<LayerError> layers) {
    /// One model to compare.
    ///
    /// @param name what the reader calls it
    /// @param settings the quantization settings in full, or the element type of an unquantized model
    /// @param decoder the model
    /// @param bytes size of its tensors on disk
    /// @param quantizationTime how long quantizing took, or null if that is not known
    public record Candidate(
            String name,
            String settings,
            Decoder decoder,
            long bytes,
            @Nullable QuantizationTime quantizationTime) {}

    public Comparison {
        rows = List.copyOf(rows);
        layers = List.copyOf(layers);
    }

    /// Measures all of them, window by window; every model is run once per window.
    ///
    /// @throws InvalidInputException if the models are not versions of one model, or if logits are not
    ///     finite
    public static Comparison run(
            Candidate original, List<Candidate> quantized, Windows windows, EvaluationListener listener) {
        quantized.forEach(candidate -> requireSameShape(original, candidate));
        List<Candidate> all =
                Stream.concat(Stream.of(original), quantized.stream()).toList();
        List<DecoderLogits> sources = all.stream()
                .map(candidate -> new DecoderLogits(candidate.decoder(), windows.length()))
                .toList();
        List<ModelScore> scores = new Evaluation(windows, listener).run(sources);
        List<ComparisonRow> rows = new ArrayList<>();
        List<LayerError> layers = new ArrayList<>();
        rows.add(row(original, windows, scores.getFirst(), null, SquaredError.NONE));
        for (int i = 1; i < all.size(); i++) {
            SquaredError error = addLayers(original, all.get(i), layers);
            rows.add(row(all.get(i), windows, scores.get(i), scores.get(i).divergence(), error));
        }
        return new Comparison(rows, layers);
    }

    private static void requireSameShape(Candidate original, Candidate candidate) {
        var expected = original.decoder().config();
        var actual = candidate.decoder().config();
        if (actual.hiddenSize() != expected.hiddenSize()
                || actual.layers() != expected.layers()
                || actual.vocabSize() != expected.vocabSize()
                || actual.intermediateSize() != expected.intermediateSize()) {
            throw new InvalidInputException(
                    "%s is not a version of %s: its sizes differ; compare quantized versions of one model"
                            .formatted(candidate.name(), original.name()));
        }
    }

    private static ComparisonRow row(
            Candidate candidate,
            Windows windows,
            ModelScore score,
            @Nullable Divergence divergence,
            SquaredError error) {
        return new ComparisonRow(
                candidate.name(),
                candidate.settings(),
                LinearLayers.bitsPerWeight(candidate.decoder()),
                candidate.bytes(),
                PerplexityResult.of(score.nats(), windows, score.seconds()),
                divergence,
                error.relative(),
                candidate.quantizationTime());
    }

    private static SquaredError addLayers(Candidate original, Candidate candidate, List<LayerError> layers) {
        if (!LinearLayers.comparable(original.decoder(), candidate.decoder())) {
            return SquaredError.UNKNOWN;
        }
        SquaredError total = SquaredError.NONE;
        for (int block = 0; block < original.decoder().config().layers(); block++) {
            SequencedMap<String, Weight> stored = LinearLayers.inBlock(candidate.decoder(), block);
            for (Map.Entry<String, Weight> layer :
                    LinearLayers.inBlock(original.decoder(), block).entrySet()) {
                SquaredError error = SquaredError.of(layer.getValue(), requireNonNull(stored.get(layer.getKey())));
                total = total.plus(error);
                layers.add(new LayerError(candidate.name(), block, layer.getKey(), error.relative()));
            }
        }
        return total;
    }
}
