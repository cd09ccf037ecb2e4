package io.any4.cli;

import io.any4.calibrate.QuantizationTime;
import io.any4.eval.ComparisonRow;
import io.any4.eval.Divergence;
import java.io.PrintWriter;
import java.util.List;

/// A comparison as a table for the terminal.
final class ComparisonTable {
    private ComparisonTable() {}

    static void print(List<ComparisonRow> rows, PrintWriter out) {
        TextTable table = new TextTable(
                "format", "bits/weight", "size MB", "perplexity", "change", "KL", "top-1", "quantized in", "CPU time");
        double original = rows.getFirst().perplexity().perplexity();
        for (ComparisonRow row : rows) {
            Divergence divergence = row.divergence();
            QuantizationTime time = row.quantizationTime();
            double perplexity = row.perplexity().perplexity();
            table.add(
                    row.name(),
                    "%.2f".formatted(row.bitsPerWeight()),
                    "%.2f".formatted(row.bytes() / 1e6),
                    "%.3f".formatted(perplexity),
                    divergence == null ? "" : "%+.2f %%".formatted(100 * (perplexity / original - 1)),
                    divergence == null ? "" : "%.4f".formatted(divergence.kl()),
                    divergence == null ? "" : "%.1f %%".formatted(100 * divergence.top1Agreement()),
                    time == null ? "" : "%.1f s".formatted(time.seconds()),
                    time == null ? "" : "%.1f s".formatted(time.cpuSeconds()));
        }
        table.print(out);
    }
}
