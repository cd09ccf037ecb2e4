package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.FloatActivations;
import io.any4.tinygemm.FpFormat;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// LLM-FP4 against the definition in plain double arithmetic.
class FloatSearchTest {
    private static final int ROWS = 12;
    private static final int COLUMNS = 32;
    private static final int TOKENS = 96;

    private Team team;
    private Arena arena;

    @BeforeEach
    void open() {
        team = new Team(2);
        arena = Arena.ofShared();
    }

    @AfterEach
    void close() {
        arena.close();
        team.close();
    }

    /// Weights with some heavy tails, so that clipping matters.
    private static Tensor weights() {
        Random random = new Random(1);
        float[] values = new float[ROWS * COLUMNS];
        for (int i = 0; i < values.length; i++) {
            double gaussian = random.nextGaussian();
            values[i] = (float) (0.05 * gaussian * (i % 17 == 0 ? 3 : 1));
        }
        return Tensor.ofFloats(values, ROWS, COLUMNS);
    }

    /// Correlated inputs; `outlier` times as large in a few channels.
    private static InputSample inputs(double outlier) {
        Random random = new Random(2);
        float[] values = new float[TOKENS * COLUMNS];
        for (int t = 0; t < TOKENS; t++) {
            double shared = random.nextGaussian();
            for (int j = 0; j < COLUMNS; j++) {
                double value = 0.5 * shared + random.nextGaussian();
                values[t * COLUMNS + j] = (float) (j % 11 == 3 ? outlier * value : value);
            }
        }
        return new InputSample(values, TOKENS, COLUMNS);
    }

    @ParameterizedTest
    @ValueSource(
            strings = {"fpq-w4a16", "fpq-w4a16,group-size=8", "fpq-w4a16,weighting=none", "fpq-w4a16,metadata=f32"})
    void weightsAloneAreTheBestOfAllCandidates(String text) {
        QuantizationSpec spec = QuantizationSpec.parse(text);
        Tensor weights = weights();
        double[] moments = new double[COLUMNS];
        for (int j = 0; j < COLUMNS; j++) {
            moments[j] = spec.weighting() == Weighting.NONE ? 1 : 1 + j % 5;
        }
        ChannelStatistics statistics = new ChannelStatistics(moments, moments, moments, 1);
        Weight actual = spec.quantizer().quantize(weights, statistics, team, RowListener.NONE, arena);
        assertThat(actual).isInstanceOf(LutWeight.class);
        assertThat(((LutWeight) actual).sharedTable()).isTrue();
        assertThat(actual.bytes()).isEqualTo(spec.bytes(ROWS, COLUMNS));
        double error = 0;
        for (int i = 0; i < ROWS; i++) {
            float[] stored = new float[COLUMNS];
            actual.dequantizeRow(i, stored, 0);
            for (int j = 0; j < COLUMNS; j++) {
                error += moments[j] * Math.pow(stored[j] - weights.getFloat(i * COLUMNS + j), 2);
            }
        }
        double expected = exhaustively(weights, moments, spec.groupSize(COLUMNS));
        assertThat(error).isCloseTo(expected, within(2e-3 * expected));
        assertThat(error).isLessThan(0.9 * unclipped(weights, moments, spec.groupSize(COLUMNS)));
    }

    private static double exhaustively(Tensor weights, double[] moments, int groupSize) {
        double best = Double.POSITIVE_INFINITY;
        for (FpFormat format : FpFormat.ofBits(4)) {
            double sum = 0;
            for (int from = 0; from < ROWS * COLUMNS; from += groupSize) {
                double least = Double.POSITIVE_INFINITY;
                for (int k = 0; k < 100; k++) {
                    double factor = factor(k);
                    least = Math.min(least, groupError(weights, moments, format, factor, from, groupSize));
                }
                sum += least;
            }
            best = Math.min(best, sum);
        }
        return best;
    }

    /// E2M1 without a search.
    private static double unclipped(Tensor weights, double[] moments, int groupSize) {
        double sum = 0;
        for (int from = 0; from < ROWS * COLUMNS; from += groupSize) {
            sum += groupError(weights, moments, new FpFormat(2, 1), 1, from, groupSize);
        }
        return sum;
    }

    private static double groupError(
            Tensor weights, double[] moments, FpFormat format, double factor, int from, int groupSize) {
        double absmax = 0;
        for (int i = from; i < from + groupSize; i++) {
            absmax = Math.max(absmax, Math.abs(weights.getFloat(i)));
        }
        double error = 0;
        for (int i = from; i < from + groupSize; i++) {
            double w = weights.getFloat(i);
            error += moments[i % COLUMNS] * Math.pow(slowly(format, w, absmax * factor) - w, 2);
        }
        return error;
    }

    /// The definition, by the format's largest number.
    private static double slowly(FpFormat format, double x, double maximum) {
        int m = format.mantissaBits();
        double bias = Math.pow(2, format.exponentBits())
                - Math.log(maximum) / Math.log(2)
                + Math.log(2 - Math.pow(2, -m)) / Math.log(2)
                - 1;
        double clamped = Math.max(-maximum, Math.min(maximum, x));
        double exponent = Math.max(1, Math.floor(Math.log(Math.abs(clamped)) / Math.log(2) + bias));
        double step = Math.pow(2, exponent - m - bias);
        return Math.rint(clamped / step) * step;
    }

    @ParameterizedTest
    @ValueSource(strings = {"fpq-w4a4", "fpq-w4a8"})
    void theErrorNeverRisesAndIsThatOfTheLayer(String method) {
        QuantizationSpec spec = QuantizationSpec.parse(method);
        InputSample sample = inputs(20);
        JointFloatSearch.Result result =
                new JointFloatSearch(spec, team).quantize(weights(), sample, RowListener.NONE, arena);
        assertThat(result.errors()).hasSize(6);
        for (int step = 1; step < 6; step++) {
            // errors are differences of float sums of the outputs' size, which is 1
            assertThat(result.errors().get(step))
                    .isLessThanOrEqualTo(result.errors().get(step - 1) + 1e-6);
        }
        assertThat(result.errors().getLast()).isCloseTo(outputError(sample, result), within(1e-4));
        assertThat(result.activations().format().exponentBits()
                        + result.activations().format().mantissaBits())
                .isEqualTo(method.equals("fpq-w4a4") ? 3 : 7);
    }

    /// Relative squared error of the outputs, through the stored weight and the transform, in double.
    private static double outputError(InputSample sample, JointFloatSearch.Result result) {
        Tensor weights = weights();
        double error = 0;
        double size = 0;
        float[] rounded = new float[TOKENS * COLUMNS];
        result.activations().apply(sample.values(), 0, rounded, 0, TOKENS);
        float[] row = new float[COLUMNS];
        for (int i = 0; i < ROWS; i++) {
            result.weight().dequantizeRow(i, row, 0);
            for (int t = 0; t < TOKENS; t++) {
                double expected = 0;
                double actual = 0;
                for (int j = 0; j < COLUMNS; j++) {
                    expected += (double) weights.getFloat(i * COLUMNS + j) * sample.values()[t * COLUMNS + j];
                    actual += (double) row[j] * rounded[t * COLUMNS + j];
                }
                error += (actual - expected) * (actual - expected);
                size += expected * expected;
            }
        }
        return error / size;
    }

    @Test
    void aStepFindsTheBestOfAllWeightsAndOfAllInputs() {
        QuantizationSpec spec = QuantizationSpec.parse("fpq-w4a4,metadata=f32");
        InputSample sample = inputs(1);
        JointFloatSearch.Result exact =
                new JointFloatSearch(spec, team, false, 300).quantize(weights(), sample, RowListener.NONE, arena);
        JointFloatSearch.Result usual =
                new JointFloatSearch(spec, team, false, 8).quantize(weights(), sample, RowListener.NONE, arena);
        float[] start = new float[TOKENS * COLUMNS];
        double largest = 0;
        for (float value : sample.values()) {
            largest = Math.max(largest, Math.abs(value));
        }
        for (int i = 0; i < start.length; i++) {
            start[i] = (float) slowly(new FpFormat(2, 1), sample.values()[i], largest);
        }
        assertThat(exact.errors().getFirst()).isCloseTo(bestWeights(start, sample), within(1e-4));
        assertThat(usual.errors().getFirst())
                .isBetween(
                        exact.errors().getFirst() - 1e-6, 1.05 * exact.errors().getFirst());
        assertThat(exact.errors().getLast()).isCloseTo(bestInputs(exact.weight(), sample), within(1e-4));
    }

    /// 100 clipping ranges in equal ratios, about from 0.35 to 1.2, of which number 84 is 1.
    private static double factor(int k) {
        return Math.pow(1.2 / 0.35, (k - 84) / 99.0);
    }

    /// The least relative error with these inputs, over formats and a clipping range for every row.
    private static double bestWeights(float[] inputs, InputSample sample) {
        Tensor weights = weights();
        double best = Double.POSITIVE_INFINITY;
        for (FpFormat format : FpFormat.ofBits(4)) {
            double sum = 0;
            for (int i = 0; i < ROWS; i++) {
                double least = Double.POSITIVE_INFINITY;
                for (int k = 0; k < 100; k++) {
                    least = Math.min(least, rowError(weights, i, format, factor(k), inputs, sample));
                }
                sum += least;
            }
            best = Math.min(best, sum);
        }
        return best / size(sample);
    }

    private static double rowError(
            Tensor weights, int i, FpFormat format, double factor, float[] inputs, InputSample sample) {
        double absmax = 0;
        for (int j = 0; j < COLUMNS; j++) {
            absmax = Math.max(absmax, Math.abs(weights.getFloat(i * COLUMNS + j)));
        }
        double error = 0;
        for (int t = 0; t < TOKENS; t++) {
            double difference = 0;
            for (int j = 0; j < COLUMNS; j++) {
                double w = weights.getFloat(i * COLUMNS + j);
                difference += slowly(format, w, absmax * factor) * inputs[t * COLUMNS + j]
                        - w * sample.values()[t * COLUMNS + j];
            }
            error += difference * difference;
        }
        return error;
    }

    private static double bestInputs(Weight weight, InputSample sample) {
        double largest = 0;
        for (float value : sample.values()) {
            largest = Math.max(largest, Math.abs(value));
        }
        double best = Double.POSITIVE_INFINITY;
        for (FpFormat format : FpFormat.ofBits(4)) {
            for (int k = 0; k < 100; k++) {
                double maximum = largest * factor(k);
                best = Math.min(best, inputError(weight, format, maximum, sample));
            }
            best = Math.min(best, inputError(weight, format, largest, sample));
        }
        return best / size(sample);
    }

    private static double inputError(Weight weight, FpFormat format, double maximum, InputSample sample) {
        Tensor weights = weights();
        double error = 0;
        float[] row = new float[COLUMNS];
        for (int i = 0; i < ROWS; i++) {
            weight.dequantizeRow(i, row, 0);
            for (int t = 0; t < TOKENS; t++) {
                double difference = 0;
                for (int j = 0; j < COLUMNS; j++) {
                    double x = sample.values()[t * COLUMNS + j];
                    difference += row[j] * slowly(format, x, maximum) - weights.getFloat(i * COLUMNS + j) * x;
                }
                error += difference * difference;
            }
        }
        return error;
    }

    private static double size(InputSample sample) {
        Tensor weights = weights();
        double size = 0;
        for (int i = 0; i < ROWS; i++) {
            for (int t = 0; t < TOKENS; t++) {
                double y = 0;
                for (int j = 0; j < COLUMNS; j++) {
                    y += (double) weights.getFloat(i * COLUMNS + j) * sample.values()[t * COLUMNS + j];
                }
                size += y * y;
            }
        }
        return size;
    }

    @Test
    void shiftedBiasesBeatTheBaselineWhereChannelsStandOut() {
        QuantizationSpec spec = QuantizationSpec.parse("fpq-w4a4");
        InputSample sample = inputs(25);
        JointFloatSearch.Result baseline =
                new JointFloatSearch(spec, team, false, 8).quantize(weights(), sample, RowListener.NONE, arena);
        JointFloatSearch.Result shifted =
                new JointFloatSearch(spec, team, true, 8).quantize(weights(), sample, RowListener.NONE, arena);
        assertThat(outputError(sample, shifted)).isLessThan(0.5 * outputError(sample, baseline));
        FloatActivations activations = shifted.activations();
        for (float scale : activations.scales()) {
            double shift = Math.log(scale / activations.scales()[3]) / Math.log(2);
            assertThat(shift).isCloseTo(Math.rint(shift), within(1e-9));
        }
        assertThat(activations.scales()[0]).isGreaterThan(activations.scales()[3]);
    }

    @Test
    void theNumberOfThreadsDoesNotMatter() {
        QuantizationSpec spec = QuantizationSpec.parse("fpq-w4a4");
        try (Team one = new Team(1)) {
            JointFloatSearch.Result first =
                    new JointFloatSearch(spec, one).quantize(weights(), inputs(5), RowListener.NONE, arena);
            JointFloatSearch.Result second =
                    new JointFloatSearch(spec, team).quantize(weights(), inputs(5), RowListener.NONE, arena);
            assertThat(second.errors()).isEqualTo(first.errors());
            assertThat(second.activations().scales())
                    .isEqualTo(first.activations().scales());
        }
    }

    @Test
    void zerosAreHarmlessAndInfinitiesAreNot() {
        QuantizationSpec spec = QuantizationSpec.parse("fpq-w4a4");
        InputSample nothing = new InputSample(new float[4 * COLUMNS], 4, COLUMNS);
        Tensor zeros = Tensor.ofFloats(new float[ROWS * COLUMNS], ROWS, COLUMNS);
        Weight weight = new JointFloatSearch(spec, team)
                .quantize(zeros, nothing, RowListener.NONE, arena)
                .weight();
        float[] row = new float[COLUMNS];
        weight.dequantizeRow(0, row, 0);
        assertThat(row).containsOnly(0f);
        QuantizationSpec.parse("fpq-w4a16").quantizer().quantize(zeros, null, team, RowListener.NONE, arena);
        zeros.setFloat(40, Float.POSITIVE_INFINITY);
        assertThatThrownBy(() -> new JointFloatSearch(spec, team).quantize(zeros, nothing, RowListener.NONE, arena))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("row 1, column 8");
        assertThatThrownBy(() -> QuantizationSpec.parse("fpq-w4a4,group-size=64"))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("one scale per row");
    }
}
