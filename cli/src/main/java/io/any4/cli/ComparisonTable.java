package io.any4.cli;

import io.any4.eval.ComparisonRow;
import io.any4.eval.Divergence;
import java.io.PrintWriter;
import java.util.List;

/// A comparison as a table for the terminal.
final class ComparisonTable {
    private ComparisonTable() {}

    static void print(List<ComparisonRow> rows, PrintWriter out) {
        TextTable table = new TextTable(
                "format", "bits/weight", "size MB", "perplexity", "change", "KL", "top-1", "quantized in");
        double original = rows.getFirst().perplexity().perplexity();
        for (ComparisonRow row : rows) {
            Divergence divergence = row.divergence();
            Double seconds = row.quantizationSeconds();
            double perplexity = row.perplexity().perplexity();
            table.add(
                    row.name(),
                    "%.2f".formatted(row.bitsPerWeight()),
                    "%.2f".formatted(row.bytes() / 1e6),
                    "%.3f".formatted(perplexity),
                    divergence == null ? "" : "%+.2f %%".formatted(100 * (perplexity / original - 1)),
                    divergence == null ? "" : "%.4f".formatted(divergence.kl()),
                    divergence == null ? "" : "%.1f %%".formatted(100 * divergence.top1Agreement()),
                    seconds == null ? "" : "%.1f s".formatted(seconds));
        }
        table.print(out);
    }
}
