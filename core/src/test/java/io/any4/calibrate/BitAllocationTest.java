package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.InvalidInputException;
import io.any4.model.Architecture;
import io.any4.model.Decoder;
import io.any4.model.TinyModel;
import io.any4.quant.QuantizationSpec;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Random;
import java.util.SequencedMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.RepeatedTest;
import org.junit.jupiter.api.RepetitionInfo;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BitAllocationTest {
    private static final CalibrationData DATA =
            new CalibrationData(List.of(TinyModel.ids(40, 1), TinyModel.ids(25, 2)), "test", 0, "");

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

    @RepeatedTest(20)
    void theKnapsackIsSolvedAsByTryingEverything(RepetitionInfo repetition) {
        Random random = new Random(repetition.getCurrentRepetition());
        List<List<Knapsack.Option>> items = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            List<Knapsack.Option> options = new ArrayList<>();
            for (int k = 0; k < 4; k++) {
                options.add(new Knapsack.Option(random.nextInt(12), random.nextInt(30)));
            }
            items.add(options);
        }
        long budget = 5 + random.nextInt(25);
        double best = exhaustively(items, 0, budget);
        int[] chosen = Knapsack.solve(items, budget);
        if (chosen == null) {
            assertThat(best).isInfinite();
            return;
        }
        long cost = 0;
        double loss = 0;
        for (int i = 0; i < chosen.length; i++) {
            cost += items.get(i).get(chosen[i]).cost();
            loss += items.get(i).get(chosen[i]).loss();
        }
        assertThat(cost).isLessThanOrEqualTo(budget);
        assertThat(loss).isEqualTo(best);
    }

    private static double exhaustively(List<List<Knapsack.Option>> items, int from, long budget) {
        if (budget < 0) {
            return Double.POSITIVE_INFINITY;
        }
        if (from == items.size()) {
            return 0;
        }
        double best = Double.POSITIVE_INFINITY;
        for (Knapsack.Option option : items.get(from)) {
            best = Math.min(best, option.loss() + exhaustively(items, from + 1, budget - option.cost()));
        }
        return best;
    }

    @Test
    void sensitivitiesAreMeasuredPerLayerAndLeaveTheModelAsItWas() throws IOException {
        TinyModel model = new TinyModel(Architecture.LLAMA, 4);
        var silenced = model.tensor("model.layers.1.mlp.down_proj.weight");
        for (long i = 0; i < silenced.elements(); i++) {
            silenced.setFloat(i, 1e-4f * silenced.getFloat(i)); // what it adds to the residual no longer matters
        }
        try (Checkpoint checkpoint = Checkpoint.open(model.write(directory))) {
            Decoder decoder = Decoder.load(checkpoint, device);
            float[] before = logits(decoder);
            SequencedMap<String, Double> slopes =
                    Sensitivities.measure(decoder, DATA, 1, team, CalibrationListener.NONE);
            assertThat(slopes).hasSize(14);
            assertThat(slopes.firstEntry().getKey()).isEqualTo("model.layers.0.self_attn.q_proj");
            assertThat(slopes.get("model.layers.1.mlp.down_proj")).isBetween(0.0, 1e-5);
            assertThat(slopes.get("model.layers.0.mlp.down_proj")).isGreaterThan(1e-3);
            assertThat(Sensitivities.measure(decoder, DATA, 1, team, CalibrationListener.NONE))
                    .isEqualTo(slopes);
            assertThat(logits(decoder)).isEqualTo(before);
        }
    }

    private static float[] logits(Decoder decoder) {
        int[] ids = TinyModel.ids(9, 3);
        float[] logits = new float[9 * decoder.config().vocabSize()];
        decoder.logits(decoder.forward(ids, decoder.newCache(9)), 0, 9, logits);
        return logits;
    }

    @Test
    void moreSensitiveLayersGetMoreBitsAndTheAverageIsKept() throws IOException {
        try (Checkpoint checkpoint = Checkpoint.open(write())) {
            QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse("any4"));
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
            SequencedMap<String, Double> sensitivities = new LinkedHashMap<>();
            plan.modules().forEach(module -> sensitivities.put(module.name(), 0.01));
            String dear = "model.layers.1.self_attn.v_proj";
            sensitivities.put(dear, 10.0);
            BitAllocation chosen = BitAllocation.choose(plan, sensitivities, 10, team);
            assertThat(chosen.bitsPerWeight()).isBetween(8.0, 10.0);
            assertThat(chosen.layers()).hasSize(plan.modules().size());
            BitAllocation.Layer layer = chosen.layers().stream()
                    .filter(candidate -> candidate.module().equals(dear))
                    .findFirst()
                    .orElseThrow();
            assertThat(layer.spec().bits()).isEqualTo(8);
            double predicted = 0;
            for (BitAllocation.Layer each : chosen.layers()) {
                predicted += each.sensitivity() * each.relativeError();
            }
            assertThat(chosen.predictedLoss()).isCloseTo(predicted, within(1e-12));
            assertThat(BitAllocation.choose(plan, sensitivities, 12, team).predictedLoss())
                    .isLessThanOrEqualTo(chosen.predictedLoss());

            QuantizationSettings allocated = settings.withOverrides(
                    chosen.layers().stream().map(BitAllocation.Layer::override).toList());
            QuantizationPlan refined = QuantizationPlan.of(checkpoint, allocated, StatisticsSource.NONE);
            assertThat(refined.quantizedBitsPerWeight()).isCloseTo(chosen.bitsPerWeight(), within(1e-9));
            assertThatThrownBy(() -> BitAllocation.choose(plan, sensitivities, 1, team))
                    .isInstanceOf(InvalidInputException.class)
                    .hasMessageContaining("1.00 bits per weight are too few");
        }
    }

    @Test
    void theForecastComesTrue() throws IOException {
        Path source = write();
        Path output = directory.resolve("out");
        try (Checkpoint checkpoint = Checkpoint.open(source)) {
            Decoder decoder = Decoder.load(checkpoint, device);
            QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse("int4,metadata=f32"));
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
            BitAllocation chosen = BitAllocation.choose(
                    plan, Sensitivities.measure(decoder, DATA, 1, team, CalibrationListener.NONE), 8, team);
            QuantizationSettings allocated = settings.withOverrides(
                    chosen.layers().stream().map(BitAllocation.Layer::override).toList());
            QuantizationJob.run(
                    QuantizationPlan.of(checkpoint, allocated, StatisticsSource.NONE),
                    output,
                    StatisticsSource.NONE,
                    team,
                    JobListener.NONE);
            try (Checkpoint quantized = Checkpoint.open(output)) {
                double divergence = divergence(decoder, Decoder.load(quantized, device));
                assertThat(divergence).isBetween(chosen.predictedLoss() / 3, chosen.predictedLoss() * 3);
            }
        }
    }

    private Path write() throws IOException {
        return new TinyModel(Architecture.LLAMA, 4).write(Files.createDirectories(directory.resolve("model")));
    }

    private static double divergence(Decoder original, Decoder quantized) {
        double sum = 0;
        int positions = 0;
        for (int[] ids : DATA.windows()) {
            int vocab = original.config().vocabSize();
            float[] expected = new float[ids.length * vocab];
            float[] actual = new float[ids.length * vocab];
            original.logits(original.forward(ids, original.newCache(ids.length)), 0, ids.length, expected);
            quantized.logits(quantized.forward(ids, quantized.newCache(ids.length)), 0, ids.length, actual);
            for (int t = 0; t < ids.length; t++) {
                sum += divergence(expected, actual, t * vocab, vocab);
                positions++;
            }
        }
        return sum / positions;
    }

    private static double divergence(float[] expected, float[] actual, int from, int vocab) {
        double expectedMass = 0;
        double actualMass = 0;
        for (int v = from; v < from + vocab; v++) {
            expectedMass += Math.exp(expected[v]);
            actualMass += Math.exp(actual[v]);
        }
        double sum = 0;
        for (int v = from; v < from + vocab; v++) {
            double p = Math.exp(expected[v]) / expectedMass;
            sum += p * Math.log(p / (Math.exp(actual[v]) / actualMass));
        }
        return sum;
    }
}
