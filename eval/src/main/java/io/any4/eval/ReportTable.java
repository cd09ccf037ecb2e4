package io.any4.eval;

import io.any4.calibrate.QuantizationTime;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;

/// The table of a report as plain HTML.
final class ReportTable {
    private static final String HEAD = """
            <tr><th scope="col">Format</th><th scope="col">Bits per weight</th><th scope="col">Size</th>\
            <th scope="col">Perplexity</th><th scope="col">Change</th><th scope="col">KL divergence</th>\
            <th scope="col">Top-1 agreement</th><th scope="col">Weight error</th><th scope="col">Quantized in</th>\
            <th scope="col">CPU time</th></tr>""";

    private ReportTable() {}

    static String render(List<ComparisonRow> rows) {
        ComparisonRow original = rows.getFirst();
        return rows.stream()
                .map(row -> row(row, original))
                .collect(Collectors.joining(
                        "\n", "<table><thead>" + HEAD + "</thead>\n<tbody>\n", "\n</tbody></table>"));
    }

    private static String row(ComparisonRow row, ComparisonRow original) {
        Divergence divergence = row.divergence();
        QuantizationTime time = row.quantizationTime();
        double change = row.perplexity().perplexity() / original.perplexity().perplexity() - 1;
        String settings = row.settings().equals(row.name()) ? "" : row.settings();
        return "<tr><th scope=\"row\">%s<small>%s</small></th>"
                        .formatted(HtmlReport.escape(row.name()), HtmlReport.escape(settings))
                + cell("%.2f", row.bitsPerWeight())
                + cell("%s", megabytes(row.bytes()))
                + cell("%.3f", row.perplexity().perplexity())
                + (divergence == null ? empty() : cell("%+.2f %%", 100 * change))
                + (divergence == null ? empty() : cell("%.4f", divergence.kl()))
                + (divergence == null ? empty() : cell("%.1f %%", 100 * divergence.top1Agreement()))
                + (Double.isNaN(row.relativeError()) || divergence == null
                        ? empty()
                        : cell("%.2f %%", 100 * row.relativeError()))
                + (time == null ? empty() : cell("%.2f s", time.seconds()))
                + (time == null || time.cpuSeconds() == 0 ? empty() : cell("%.2f s", time.cpuSeconds()))
                + "</tr>";
    }

    private static String megabytes(long bytes) {
        return bytes < 10_000_000_000L
                ? String.format(Locale.ROOT, "%.2f MB", bytes / 1e6)
                : String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
    }

    private static String cell(String format, Object value) {
        return "<td>" + String.format(Locale.ROOT, format, value) + "</td>";
    }

    private static String empty() {
        return "<td>–</td>";
    }
}
