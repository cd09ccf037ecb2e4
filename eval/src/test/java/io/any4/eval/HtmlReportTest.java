package io.any4.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.calibrate.QuantizationTime;
import io.any4.checkpoint.InvalidInputException;
import io.any4.eval.tasks.TaskResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

class HtmlReportTest {
    private static final List<String> PROJECTIONS =
            List.of("self_attn.q_proj", "self_attn.k_proj", "mlp.gate_proj", "mlp.down_proj");

    @TempDir
    Path directory;

    @Test
    void theTableIsPlainHtml() {
        String page = HtmlReport.render(report("the model"));
        assertThat(page).contains("<td>16.00</td>", "<td>36.100</td>", "<td>+1.00 %</td>", "<td>0.0123</td>");
    }

    @Test
    void benchmarksAreATableWithAColumnPerModel() {
        Report plain = report("t");
        assertThat(HtmlReport.render(plain)).doesNotContain("What they know");
        List<ComparisonRow> asked = new ArrayList<>();
        for (ComparisonRow row : plain.rows()) {
            double value = 0.5 + asked.size() / 8.0;
            asked.add(row.withTasks(List.of(
                    new TaskResult("piqa", "1.0", "acc_norm", value, 0.025, true, 400, 0, 400),
                    new TaskResult("lambada_openai", "1.0", "perplexity", 9, null, false, 1, 2, null))));
        }
        Report report = new Report("t", "x", asked, List.of(), null, List.of(), provenance());
        String page = HtmlReport.render(report);
        assertThat(page)
                .contains("<td>0.5000 ± 0.0250</td><td>0.6250 ± 0.0250</td><td>0.7500 ± 0.0250</td></tr>")
                .contains("<small>perplexity, 2-shot, 1 document</small></th><td>9.0000</td>");
        assertThat(data(page).at("/rows/1/tasks/0/value").asDouble()).isEqualTo(0.625);
    }

    @Test
    void nothingIsLoadedFromElsewhere() {
        String page = HtmlReport.render(report("the model"));
        String own = page.replace(echarts(page), "");
        assertThat(own).doesNotContainPattern("(src|href)\\s*=|@import|url\\(|https?://");
        assertThat(echarts(page)).hasSizeGreaterThan(500_000);
    }

    @Test
    void textOfTheUserCannotBecomeMarkup() {
        String page = HtmlReport.render(report("</script><b>&\""));
        assertThat(page).contains("&lt;/script&gt;&lt;b&gt;&amp;&quot;");
        assertThat(page).doesNotContain("</script><b>");
        assertThat(data(page).get("title").asString()).isEqualTo("</script><b>&\"");
    }

    @Test
    void theDataOfTheChartsIsInside() {
        JsonNode data = data(HtmlReport.render(report("the model")));
        assertThat(data.get("rows")).hasSize(3);
        assertThat(data.at("/rows/1/divergence/kl").asDouble()).isEqualTo(0.0123);
        assertThat(data.get("layers")).hasSize(16);
        assertThat(data.at("/histogram/grids/0/levels")).hasSize(16);
        assertThat(data.at("/rows/1/quantizationTime/cpuSeconds").asDouble()).isEqualTo(2.75);
    }

    @Test
    void aReportWithoutChartsStillRenders() {
        Report bare = new Report("t", "x", report("t").rows().subList(0, 1), List.of(), null, List.of(), provenance());
        assertThat(HtmlReport.render(bare)).contains("<h1>t</h1>").doesNotContain("What they write");
    }

    @Test
    void anUnwritablePlaceIsASentence() {
        Path nowhere = directory.resolve("missing/report.html");
        assertThatThrownBy(() -> HtmlReport.write(nowhere, report("t")))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("report.html");
        assertThat(Files.exists(nowhere)).isFalse();
    }

    private static String echarts(String page) {
        int start = page.indexOf("<script>") + "<script>".length();
        return page.substring(start, page.indexOf("</script>", start));
    }

    private static JsonNode data(String page) {
        var matcher = Pattern.compile("id=\"data\">(.*?)</script>").matcher(page);
        assertThat(matcher.find()).isTrue();
        return JsonMapper.shared().readTree(matcher.group(1));
    }

    private static Report report(String title) {
        List<LayerError> layers = new ArrayList<>();
        for (int i = 0; i < 16; i++) {
            String model = i < 8 ? "any4" : "int3";
            layers.add(new LayerError(model, i / 4 % 2, PROJECTIONS.get(i % 4), 0.001 * (i + 1)));
        }
        return new Report(title, "heldout.txt", rows(), layers, histogram(), samples(), provenance());
    }

    private static List<ComparisonRow> rows() {
        return List.of(
                new ComparisonRow("bf16", "unquantized", 16, 7_348_736, perplexity(36.1), null, 0, null),
                new ComparisonRow(
                        "any4",
                        "group 128",
                        4.31,
                        2_500_000,
                        perplexity(36.461),
                        divergence(0.0123),
                        0.006,
                        new QuantizationTime(1.5, 2.75)),
                new ComparisonRow(
                        "int3",
                        "group 128",
                        3.25,
                        2_200_000,
                        perplexity(39.2),
                        divergence(0.0912),
                        0.031,
                        new QuantizationTime(0.1, 0)));
    }

    private static PerplexityResult perplexity(double value) {
        return new PerplexityResult(value, Math.log(value), 1.3, 16, 512, 8176, 1.2, 6800);
    }

    private static Divergence divergence(double kl) {
        return new Divergence(kl, 0.93, 8192);
    }

    private static RowHistogram histogram() {
        List<Double> levels = IntStream.range(0, 16).mapToObj(i -> i / 15.0).toList();
        return new RowHistogram(
                "model.layers.0.mlp.down_proj",
                17,
                IntStream.range(0, 40).mapToObj(i -> 30 - Math.abs(20 - i)).toList(),
                List.of(new RowHistogram.Grid("int4", levels), new RowHistogram.Grid("any4", levels)));
    }

    private static List<Sample> samples() {
        return List.of(new Sample("bf16", "Once upon", " a time"), new Sample("any4", "Once upon", " a hill"));
    }

    private static SequencedMap<String, String> provenance() {
        return new LinkedHashMap<>(Map.of("Seed", "0"));
    }
}
