package io.any4.eval;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import tools.jackson.databind.json.JsonMapper;

/// Writes a [Report] as one HTML file that needs nothing else: style, data and the chart library are inside. What
/// matters most, the table and the texts, is plain HTML; the charts need JavaScript.
public final class HtmlReport {
    private static final Pattern PLACEHOLDER = Pattern.compile("\\{\\{(\\w+)}}");

    private HtmlReport() {}

    /// Writes the report, replacing an existing file.
    ///
    /// @throws InvalidInputException if the file cannot be written
    public static void write(Path file, Report report) {
        try {
            Files.writeString(file, render(report));
        } catch (IOException e) {
            throw InvalidInputException.writing(file, e);
        }
    }

    /// The report as a page of HTML.
    public static String render(Report report) {
        Map<String, String> parts = Map.of(
                "title", escape(report.title()),
                "summary", summary(report),
                "style", resource("report.css"),
                "table", ReportTable.render(report.rows()),
                "tasks", TaskSection.render(report.rows()),
                "samples", samples(report.samples()),
                "provenance", provenance(report.provenance()),
                "data", data(report),
                "echarts", resource("echarts.min.js"),
                "script", resource("report.js"));
        return PLACEHOLDER
                .matcher(resource("report.html"))
                .replaceAll(match -> Matcher.quoteReplacement(Objects.requireNonNull(parts.get(match.group(1)))));
    }

    private static String summary(Report report) {
        ComparisonRow original = report.rows().getFirst();
        PerplexityResult result = original.perplexity();
        return "Perplexity on %s: %d window%s of %d tokens, %,d predictions."
                .formatted(
                        escape(report.text()),
                        result.windows(),
                        result.windows() == 1 ? "" : "s",
                        result.window(),
                        result.predictions());
    }

    private static String samples(List<Sample> samples) {
        if (samples.isEmpty()) {
            return "";
        }
        return samples.stream()
                .map(sample -> "<figure><figcaption>%s</figcaption><p><b>%s</b>%s</p></figure>"
                        .formatted(escape(sample.model()), escape(sample.prompt()), escape(sample.continuation())))
                .collect(Collectors.joining(
                        "\n", "<section><h2>What they write</h2><div class=\"samples\">\n", "\n</div></section>"));
    }

    private static String provenance(Map<String, String> provenance) {
        return provenance.entrySet().stream()
                .map(entry -> "<dt>%s</dt><dd>%s</dd>".formatted(escape(entry.getKey()), escape(entry.getValue())))
                .collect(Collectors.joining("\n"));
    }

    private static String data(Report report) {
        return JsonMapper.shared().writeValueAsString(report).replace("<", "\\u003c");
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }

    private static String resource(String name) {
        try (InputStream in = Objects.requireNonNull(HtmlReport.class.getResourceAsStream(name), name)) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
