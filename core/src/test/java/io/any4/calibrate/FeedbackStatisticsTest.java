package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.TinyModel;
import io.any4.quant.Hessian;
import io.any4.quant.InputShift;
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
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Hessians stage by stage, against sums over the rows that a tap sees.
class FeedbackStatisticsTest {
    private static final CalibrationData DATA =
            new CalibrationData(List.of(TinyModel.ids(40, 1), TinyModel.ids(25, 2)), "test", 0, "");
    private static final String BLOCK = "model.layers.0.";

    @TempDir
    Path directory;

    private final Team team = new Team(2);
    private final Device device = CpuDevice.scalar(team);

    @AfterEach
    void close() {
        device.close();
        team.close();
    }

    @Test
    void layersSeeWhatTheQuantizedLayersBeforeThemProduce() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 9);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            Decoder reference = Decoder.load(checkpoint, device);
            StatisticsSource source = Calibration.gptq(decoder, DATA, CalibrationListener.NONE);
            Map<String, Weight> weights = new HashMap<>();
            for (String module : List.of(
                    "self_attn.k_proj",
                    "self_attn.q_proj",
                    "self_attn.v_proj",
                    "self_attn.o_proj",
                    "mlp.gate_proj",
                    "mlp.up_proj",
                    "mlp.down_proj")) {
                reference.replace(0, weights);
                assertMoments(source.hessian(BLOCK + module), rows(reference, BLOCK + module));
                var statistics = Objects.requireNonNull(source.statistics(BLOCK + module));
                assertThat(statistics.tokens()).isEqualTo(65);
                // the other block's weights stand in for quantized ones
                Weight weight = new DenseWeight(model.tensor("model.layers.1." + module + ".weight"));
                weights.put(BLOCK + module, weight);
                source.quantized(BLOCK + module, weight);
            }
            source.quantized(0, weights);
            reference.replace(0, weights);
            String next = "model.layers.1.self_attn.q_proj";
            assertMoments(source.hessian(next), rows(reference, next));
            source.quantized(1, Map.of());
            assertMoments(source.hessian("lm_head"), rows(reference, "lm_head"));
            assertThat(source.hessian("model.embed_tokens")).isNull();
        }
    }

    @Test
    void shiftsAreFromWhatTheUnquantizedModelProduces() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 9);
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder original = Decoder.load(checkpoint, device);
            Decoder reference = Decoder.load(checkpoint, device);
            Decoder decoder = Decoder.load(checkpoint, device);
            StatisticsSource source = Calibration.hessians(decoder, DATA, Rounding.GPTAQ, CalibrationListener.NONE);
            Map<String, Weight> weights = new HashMap<>();
            for (String module : List.of("self_attn.q_proj", "self_attn.o_proj", "mlp.gate_proj", "mlp.down_proj")) {
                reference.replace(0, weights);
                assertShift(source.shift(BLOCK + module), original, reference, BLOCK + module);
                Weight weight = new DenseWeight(model.tensor("model.layers.1." + module + ".weight"));
                weights.put(BLOCK + module, weight);
                source.quantized(BLOCK + module, weight);
            }
            source.quantized(0, weights);
            reference.replace(0, weights);
            assertShift(source.shift("model.layers.1.mlp.up_proj"), original, reference, "model.layers.1.mlp.up_proj");
            source.quantized(1, Map.of());
            assertShift(source.shift("lm_head"), original, reference, "lm_head");
        }
    }

    private static void assertShift(@Nullable InputShift measured, Decoder original, Decoder reference, String module) {
        List<float[]> before = rows(original, module);
        List<float[]> after = rows(reference, module);
        InputShift shift = Objects.requireNonNull(measured);
        int n = after.getFirst().length;
        for (int i = 0; i < n; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int t = 0; t < after.size(); t++) {
                    sum += ((double) before.get(t)[i] - after.get(t)[i]) * after.get(t)[j];
                }
                assertThat((double) shift.products().getFloat((long) i * n + j))
                        .as("%s: %d, %d", module, i, j)
                        .isCloseTo(sum / after.size(), within(1e-5));
            }
        }
    }

    @Test
    void expertsHaveNoShift() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.MIXTRAL, 9).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            StatisticsSource source = Calibration.hessians(decoder, DATA, Rounding.GPTAQ, CalibrationListener.NONE);
            assertThat(source.shift(BLOCK + "self_attn.o_proj")).isNotNull();
            assertThat(source.shift(BLOCK + "block_sparse_moe.experts.0.w1")).isNull();
        }
    }

    @Test
    void layersWithTheSameInputShareItsHessian() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.LLAMA, 9).write(directory))) {
            StatisticsSource source =
                    Calibration.gptq(Decoder.load(checkpoint, device), DATA, CalibrationListener.NONE);
            Hessian first = source.hessian(BLOCK + "self_attn.q_proj");
            assertThat(first).isNotNull();
            assertThat(source.hessian(BLOCK + "self_attn.v_proj")).isSameAs(first);
        }
    }

    @Test
    void expertsHaveTheHessianOfTheirTokensUnlessTheyAreStarved() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(new TinyModel(Architecture.MIXTRAL, 9).write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            Decoder reference = Decoder.load(checkpoint, device);
            StatisticsSource source = Calibration.gptq(decoder, DATA, CalibrationListener.NONE);
            for (String projection : List.of("w1", "w3", "w2")) {
                for (int e = 0; e < 5; e++) {
                    String module = BLOCK + "block_sparse_moe.experts.%d.%s".formatted(e, projection);
                    List<float[]> rows = rows(reference, module);
                    int channels = projection.equals("w2") ? 40 : 24;
                    if (rows.size() * HessianCollector.CHANNELS_PER_TOKEN < channels) {
                        assertThat(source.hessian(module)).isNull();
                    } else {
                        assertMoments(source.hessian(module), rows);
                    }
                    assertThat(source.statistics(module)).isNotNull();
                }
            }
        }
    }

    private static List<float[]> rows(Decoder decoder, String module) {
        SharedInputs inputs = new SharedInputs(decoder);
        String leader = inputs.leader(module);
        int width = Objects.requireNonNull(inputs.width(leader));
        List<float[]> rows = new ArrayList<>();
        for (int[] window : DATA.windows()) {
            decoder.forward(window, decoder.newCache(window.length), (linear, x, tokens) -> {
                for (int t = 0; linear.equals(leader) && t < tokens; t++) {
                    float[] row = new float[width];
                    decoder.device().read(x, (long) t * width, row, width);
                    rows.add(row);
                }
            });
        }
        return rows;
    }

    private static void assertMoments(@Nullable Hessian measured, List<float[]> rows) {
        Hessian hessian = Objects.requireNonNull(measured);
        int n = rows.getFirst().length;
        assertThat(hessian.channels()).isEqualTo(n);
        assertThat(hessian.tokens()).isEqualTo(rows.size());
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                double sum = 0;
                for (float[] row : rows) {
                    sum += (double) row[i] * row[j];
                }
                assertThat((double) hessian.moments().getFloat((long) i * n + j))
                        .as("moment %d, %d", i, j)
                        .isCloseTo(sum / rows.size(), within(1e-5));
            }
        }
    }
}
