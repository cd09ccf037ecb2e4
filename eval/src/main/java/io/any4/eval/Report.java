package io.any4.eval;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/// Everything the HTML report shows.
///
/// @param title heading of the page
/// @param text what perplexity was measured on
/// @param rows the models; the first is the original
/// @param layers errors of the linear layers of all quantized models
/// @param histogram a row of weights beside its learned table, or null if no model has learned tables
/// @param samples generated texts, possibly none
/// @param provenance where the numbers come from: what to know to get them again
public record Report(
        String title,
        String text,
        List<ComparisonRow> rows,
        List<LayerError> layers,
        @Nullable RowHistogram histogram,
        List<Sample> samples,
        SequencedMap<String, String> provenance) {
    public Report {
        if (rows.isEmpty()) {
            throw new IllegalArgumentException("a report needs at least one model");
        }
        rows = List.copyOf(rows);
        layers = List.copyOf(layers);
        samples = List.copyOf(samples);
        provenance = new LinkedHashMap<>(provenance);
    }
}
