package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.Linear;
import io.any4.model.TinyModel;
import io.any4.quant.ChannelStatistics;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class CalibrationTest {
    private static final CalibrationData DATA = new CalibrationData(
            List.of(TinyModel.ids(40, 1), TinyModel.ids(25, 2), TinyModel.ids(64, 3)), "test", 0, "");

    @TempDir
    Path directory;

    private Team team;
    private Device device;

    @BeforeEach
    void open() {
        team = new Team(2);
        device = CpuDevice.scalar(team);
    }

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @Test
    void averagesEveryInputOverAllTokens() throws IOException {
        try (Checkpoint checkpoint = open(Architecture.LLAMA)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            StatisticsSource statistics = Calibration.onePass(decoder, DATA, CalibrationListener.NONE);
            Map<String, List<float[]>> inputs = inputs(decoder);
            assertThat(inputs).hasSize(2 * 7 + 1);
            inputs.forEach((module, rows) -> assertMeans(of(statistics, module), rows));
            assertThat(of(statistics, "model.layers.0.self_attn.v_proj").tokens())
                    .isEqualTo(129);
            assertThat(statistics.statistics("model.embed_tokens")).isNull();
        }
    }

    @Test
    void aTiedEmbeddingHasTheStatisticsOfTheHead() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 9);
        model.config.put("tie_word_embeddings", true);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            StatisticsSource statistics =
                    Calibration.onePass(Decoder.load(checkpoint, device), DATA, CalibrationListener.NONE);
            assertThat(of(statistics, "model.embed_tokens").secondMoment())
                    .isEqualTo(of(statistics, "lm_head").secondMoment());
        }
    }

    @Test
    void expertsSeeTheTokensRoutedToThemUnlessTheyAreTooFew() throws IOException {
        try (Checkpoint checkpoint = open(Architecture.MIXTRAL)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            StatisticsSource statistics = Calibration.onePass(decoder, DATA, CalibrationListener.NONE);
            Map<String, List<float[]>> inputs = inputs(decoder);
            int starved = 0;
            for (String projection : List.of("w1", "w2", "w3")) {
                for (int block = 0; block < 2; block++) {
                    List<float[]> pool = new ArrayList<>();
                    for (int e = 0; e < 5; e++) {
                        pool.addAll(inputs.getOrDefault(expert(block, e, projection), List.of()));
                    }
                    assertThat(pool).hasSize(2 * 129); // every token goes to two experts
                    for (int e = 0; e < 5; e++) {
                        String module = expert(block, e, projection);
                        List<float[]> own = inputs.getOrDefault(module, List.of());
                        boolean enough = own.size() >= StatisticsCollector.MIN_EXPERT_TOKENS;
                        starved += enough ? 0 : 1;
                        assertMeans(of(statistics, module), enough ? own : pool);
                    }
                }
            }
            assertThat(starved).as("experts with too few tokens").isBetween(1, 29);
        }
    }

    private static String expert(int block, int expert, String projection) {
        return "model.layers.%d.block_sparse_moe.experts.%d.%s".formatted(block, expert, projection);
    }

    @Test
    void sequentialStatisticsFollowTheQuantizedBlocks() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 9);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            StatisticsSource before = Calibration.onePass(decoder, DATA, CalibrationListener.NONE);
            String down = "model.layers.0.mlp.down_proj";
            Map<String, Weight> quantized =
                    Map.of(down, new DenseWeight(model.tensor("model.layers.1.mlp.down_proj.weight")));
            List<Integer> progress = new ArrayList<>();
            StatisticsSource sequential = Calibration.sequential(decoder, DATA, (done, total) -> progress.add(done));
            assertSame(sequential, before, "model.layers.0.self_attn.q_proj", down);
            sequential.quantized(0, quantized);
            ChannelStatistics second = of(sequential, "model.layers.1.mlp.gate_proj");
            assertThat(second.mean())
                    .isNotEqualTo(of(before, "model.layers.1.mlp.gate_proj").mean());
            sequential.quantized(1, Map.of());
            ChannelStatistics head = of(sequential, "lm_head");

            StatisticsSource untouched = Calibration.onePass(decoder, DATA, CalibrationListener.NONE);
            assertSame(untouched, before, "model.layers.1.mlp.gate_proj", "lm_head");
            decoder.replace(0, quantized);
            StatisticsSource after = Calibration.onePass(decoder, DATA, CalibrationListener.NONE);
            assertThat(of(after, "model.layers.1.mlp.gate_proj").mean()).isEqualTo(second.mean());
            assertThat(of(after, "lm_head").secondMoment()).isEqualTo(head.secondMoment());
            assertThat(progress).containsExactly(1, 2, 3, 4, 5, 6, 7, 8, 9);
        }
    }

    @Test
    void refusesWhatTheContextCannotHold() throws IOException {
        try (Checkpoint checkpoint = open(Architecture.LLAMA)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            CalibrationData data = new CalibrationData(List.of(new int[65]), "test", 0, "");
            assertThatThrownBy(() -> Calibration.onePass(decoder, data, CalibrationListener.NONE))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("context of 64");
            assertThatThrownBy(() -> Calibration.sequential(decoder, data, CalibrationListener.NONE))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("context of 64");
        }
    }

    private Checkpoint open(Architecture architecture) throws IOException {
        return Checkpoint.open(new TinyModel(architecture, 9).write(directory));
    }

    /// Every row that enters each module, from a tap of its own.
    private static Map<String, List<float[]>> inputs(Decoder decoder) {
        Map<String, Integer> widths =
                new HashMap<>(Map.of("lm_head", decoder.config().hiddenSize()));
        for (int block = 0; block < decoder.config().layers(); block++) {
            for (List<Linear> group : decoder.inputGroups(block)) {
                group.forEach(
                        linear -> widths.put(linear.name(), linear.matrix().columns()));
            }
        }
        Map<String, List<float[]>> rows = new HashMap<>();
        for (int[] window : DATA.windows()) {
            decoder.forward(window, decoder.newCache(window.length), (module, x, tokens) -> {
                int width = Objects.requireNonNull(widths.get(module));
                for (int t = 0; t < tokens; t++) {
                    float[] row = new float[width];
                    decoder.device().read(x, (long) t * width, row, width);
                    rows.computeIfAbsent(module, name -> new ArrayList<>()).add(row);
                }
            });
        }
        return rows;
    }

    private static void assertMeans(ChannelStatistics actual, List<float[]> rows) {
        assertThat(actual.tokens()).isEqualTo(rows.size());
        for (int c = 0; c < actual.channels(); c++) {
            int channel = c;
            assertThat(actual.mean()[c])
                    .isCloseTo(
                            rows.stream()
                                    .mapToDouble(row -> row[channel])
                                    .average()
                                    .orElseThrow(),
                            within(1e-9));
            assertThat(actual.meanAbsolute()[c])
                    .isCloseTo(
                            rows.stream()
                                    .mapToDouble(row -> Math.abs(row[channel]))
                                    .average()
                                    .orElseThrow(),
                            within(1e-9));
            assertThat(actual.secondMoment()[c])
                    .isCloseTo(
                            rows.stream()
                                    .mapToDouble(row -> (double) row[channel] * row[channel])
                                    .average()
                                    .orElseThrow(),
                            within(1e-9));
        }
    }

    private static void assertSame(StatisticsSource actual, StatisticsSource expected, String... modules) {
        for (String module : modules) {
            assertThat(of(actual, module).secondMoment())
                    .isEqualTo(of(expected, module).secondMoment());
        }
    }

    private static ChannelStatistics of(StatisticsSource source, String module) {
        return Objects.requireNonNull(source.statistics(module), module);
    }
}
