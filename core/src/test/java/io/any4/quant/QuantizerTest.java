package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.IntWeight;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

final class QuantizerTest {
    private static final Team TEAM = new Team(2);

    @AfterAll
    static void close() {
        TEAM.close();
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void shapesThatDoNotDivideAreHandledAndTheBytesArePredicted(Method method) {
        for (int group : groupSizes(method)) {
            for (int columns : new int[] {1, 33, 100, 256}) {
                QuantizationSpec spec = QuantizationSpec.of(method).with("group-size", size(group));
                Weight weight = quantize(spec.describe(), random(5, columns, 3));
                assertThat(weight.rows()).isEqualTo(5);
                assertThat(weight.columns()).isEqualTo(columns);
                assertThat(weight.bytes())
                        .as("%s x %d", spec.describe(), columns)
                        .isEqualTo(spec.bytes(5, columns));
            }
        }
    }

    /// The methods that quantize activations too have one scale per row.
    private static int[] groupSizes(Method method) {
        return switch (method) {
            case FPQ_W4A8, FPQ_W4A4 -> new int[] {QuantizationSpec.PER_ROW};
            default -> new int[] {64, 32, 128, 7, QuantizationSpec.PER_ROW};
        };
    }

    private static String size(int group) {
        return group == QuantizationSpec.PER_ROW ? "row" : String.valueOf(group);
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void theListenerHearsTheErrorOfWhatIsStored(Method method) {
        float[] weights = random(40, 96, 4);
        double[] moment = new double[96];
        for (int j = 0; j < 96; j++) {
            moment[j] = 1 + j;
        }
        List<ErrorStatistics> heard = new ArrayList<>();
        Weight weight = QuantizationSpec.of(method)
                .quantizer()
                .quantize(
                        Tensor.ofFloats(weights, 40, 96),
                        new ChannelStatistics(moment, moment, moment, 9),
                        TEAM,
                        (done, rows, soFar) -> {
                            assertThat(rows).isEqualTo(40);
                            heard.add(soFar);
                        });
        float[] stored = IntGoldenTest.values(weight);
        double error = 0;
        double size = 0;
        double outputError = 0;
        double output = 0;
        double max = 0;
        for (int i = 0; i < weights.length; i++) {
            double difference = (double) stored[i] - weights[i];
            error += difference * difference;
            size += (double) weights[i] * weights[i];
            outputError += moment[i % 96] * difference * difference;
            output += moment[i % 96] * weights[i] * weights[i];
            max = Math.max(max, Math.abs(difference));
        }
        ErrorStatistics last = heard.getLast();
        assertThat(last.elements()).isEqualTo(weights.length);
        assertThat(last.relativeError()).isCloseTo(error / size, within(1e-9));
        assertThat(last.relativeOutputError()).isCloseTo(outputError / output, within(1e-6));
        assertThat(last.maxAbsoluteError()).isEqualTo(max);
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void degenerateRowsAreRepresented(Method method) {
        float[] weights = new float[6 * 128];
        java.util.Arrays.fill(weights, 128, 256, 0.375f); // constant; row 0 is all zero
        for (int j = 0; j < 128; j++) {
            weights[256 + j] = j % 2 == 0 ? -0.5f : 0.5f; // two values
            weights[512 + j] = 1e-30f * j; // almost nothing
            weights[640 + j] = j < 64 ? 0f : 0.01f * (j - 96); // a group of zeros
        }
        weights[384 + 77] = 4f; // one spike
        QuantizationSpec spec = QuantizationSpec.of(method).with("group-size", size(groupSizes(method)[0]));
        Weight weight = quantize(spec.describe(), weights, 128);
        float[] stored = IntGoldenTest.values(weight);
        for (int i = 0; i < 128; i++) {
            assertThat(stored[i]).as("zero row").isZero();
            assertThat(stored[512 + i]).as("tiny row").isCloseTo(0f, within(1e-6f));
        }
        assertThat(stored[384 + 77]).as("spike").isCloseTo(4f, within(method == Method.INT2 ? 1e-2f : 4e-3f));
        for (float value : stored) {
            assertThat(value).isFinite();
        }
        if (method.family() != Method.Family.FIXED_TABLE) {
            float narrow = switch (method.family()) {
                case LEARNED_TABLE_AND_SCALES, SEARCHED_FLOAT -> 2e-3f;
                case INTEGER, FIXED_TABLE, LEARNED_TABLE -> 0f;
            };
            assertThat(stored[128]).as("constant row").isCloseTo(0.375f, within(narrow));
            assertThat(stored[256]).as("two values").isCloseTo(-0.5f, within(narrow));
            assertThat(stored[257]).as("two values").isCloseTo(0.5f, within(2e-3f));
        }
    }

    @ParameterizedTest
    @EnumSource(Method.class)
    void weightsThatAreNotNumbersAreRefusedByRow(Method method) {
        for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
            float[] weights = random(9, 40, 1);
            weights[7 * 40 + 13] = bad;
            for (String scope : method.id().startsWith("any") ? List.of("row", "matrix") : List.of("row")) {
                assertThatThrownBy(() -> quantize(method.id() + ",table=" + scope, weights, 40))
                        .isInstanceOf(InvalidInputException.class)
                        .hasMessageContaining("row 7, column 13 is " + bad);
            }
        }
    }

    @Test
    void scalesThatF16CannotHoldAreRefused() {
        float[] weights = {1f, 2e6f, -2e6f, 0f};
        assertThatThrownBy(() -> quantize("any4", weights, 4))
                .isInstanceOf(InvalidInputException.class)
                .hasMessage("the weights in row 0 are too large for F16 scales: choose bf16 or f32 metadata");
        assertThat(IntGoldenTest.values(quantize("any4,metadata=bf16", weights, 4))[1])
                .isCloseTo(2e6f, within(1e4f));
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "any4",
                "any3,symmetric=true",
                "any2,table=matrix",
                "any4,kmeans=lloyd",
                "int8",
                "mx4",
                "any4s",
                "any4s,table=matrix,group-size=7"
            })
    void theResultDoesNotDependOnTheThreads(String spec) {
        float[] weights = random(37, 300, 8);
        Weight expected = quantize(spec, weights, 300, new Team(1), statistics(300));
        for (int threads : new int[] {2, 3, 7}) {
            try (Team team = new Team(threads)) {
                Weight actual = quantize(spec, weights, 300, team, statistics(300));
                assertThat(bytes(actual)).isEqualTo(bytes(expected));
            }
        }
    }

    @Test
    void theTableIsAscendingAndCodesAreTheNearestEntries() {
        float[] weights = random(20, 500, 5);
        LutWeight weight = (LutWeight) quantize("any3,group-size=500,weighting=none", weights, 500);
        float[] table = weight.lut().toFloats();
        for (int row = 0; row < 20; row++) {
            float scale = weight.scale().getFloat(row);
            float zero = Objects.requireNonNull(weight.zero()).getFloat(row);
            float[] stored = new float[500];
            weight.dequantizeRow(row, stored, 0);
            for (int k = 1; k < 8; k++) {
                assertThat(table[row * 8 + k]).isGreaterThan(table[row * 8 + k - 1]);
            }
            for (int j = 0; j < 500; j++) {
                double chosen = Math.abs(stored[j] - weights[row * 500 + j]);
                for (int k = 0; k < 8; k++) {
                    double other = Math.abs(table[row * 8 + k] * scale + zero - weights[row * 500 + j]);
                    assertThat(chosen).isLessThanOrEqualTo(other + 1e-7);
                }
            }
        }
    }

    @Test
    void aFewDistinctValuesAreStoredExactly() {
        float[] values = {-1f, -0.5f, -0.25f, 0.125f, 0.75f, 0.875f, 1f};
        float[] weights = new float[700];
        for (int j = 0; j < 700; j++) {
            weights[j] = values[j % 7];
        }
        assertThat(IntGoldenTest.values(quantize("any3,group-size=row", weights, 700)))
                .isEqualTo(weights);
    }

    @Test
    void weightedChannelsAreStoredMorePrecisely() {
        float[] weights = random(30, 256, 11);
        double[] moment = new double[256];
        java.util.Arrays.fill(moment, 0.01);
        java.util.Arrays.fill(moment, 0, 16, 100);
        ChannelStatistics busy = new ChannelStatistics(moment, moment, moment, 1);
        double plain = channelError(weights, quantize("any3", weights, 256, TEAM, null));
        for (String weighting : new String[] {"mean", "mean-abs", "second-moment"}) {
            Weight weighted = quantize("any3,weighting=" + weighting, weights, 256, TEAM, busy);
            assertThat(channelError(weights, weighted)).as(weighting).isLessThan(0.5 * plain);
        }
        Weight ignoring = quantize("any3,weighting=none", weights, 256, TEAM, busy);
        assertThat(bytes(ignoring)).isEqualTo(bytes(quantize("any3,weighting=none", weights, 256, TEAM, null)));
    }

    @Test
    void statisticsWithoutTokensOrOfOneValueCountAllChannelsTheSame() {
        float[] weights = random(6, 64, 2);
        double[] zero = new double[64];
        byte[] plain = bytes(quantize("any4", weights, 64, TEAM, null));
        assertThat(bytes(quantize("any4", weights, 64, TEAM, new ChannelStatistics(zero, zero, zero, 0))))
                .isEqualTo(plain);
        assertThat(bytes(quantize("any4", weights, 64, TEAM, new ChannelStatistics(zero, zero, zero, 5))))
                .isEqualTo(plain);
    }

    @Test
    void otherShapesAreProgrammingErrors() {
        Quantizer quantizer = QuantizationSpec.parse("any4").quantizer();
        Tensor vector = Tensor.ofFloats(new float[4], 4);
        Tensor integers = Tensor.allocate(java.lang.foreign.Arena.ofAuto(), DType.I8, 2, 2);
        Tensor matrix = Tensor.ofFloats(new float[4], 2, 2);
        assertThatThrownBy(() -> quantizer.quantize(vector, null, TEAM, RowListener.NONE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> quantizer.quantize(integers, null, TEAM, RowListener.NONE))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> quantizer.quantize(matrix, statistics(3), TEAM, RowListener.NONE))
                .isInstanceOf(IllegalArgumentException.class);
    }

    private static double channelError(float[] weights, Weight weight) {
        float[] stored = IntGoldenTest.values(weight);
        double sum = 0;
        for (int i = 0; i < weights.length; i++) {
            sum += i % 256 < 16 ? Math.pow((double) stored[i] - weights[i], 2) : 0;
        }
        return sum;
    }

    static float[] random(int rows, int columns, long seed) {
        Random random = new Random(seed);
        float[] values = new float[rows * columns];
        for (int i = 0; i < values.length; i++) {
            values[i] = (float) (0.02 * random.nextGaussian());
        }
        return values;
    }

    private static ChannelStatistics statistics(int channels) {
        double[] values = new double[channels];
        for (int j = 0; j < channels; j++) {
            values[j] = 0.1 + j % 13;
        }
        return new ChannelStatistics(values, values, values, 100);
    }

    private static Weight quantize(String spec, float[] weights) {
        return quantize(spec, weights, weights.length / 5);
    }

    private static Weight quantize(String spec, float[] weights, int columns) {
        return quantize(spec, weights, columns, TEAM, null);
    }

    private static Weight quantize(
            String spec, float[] weights, int columns, Team team, @Nullable ChannelStatistics statistics) {
        return QuantizationSpec.parse(spec)
                .quantizer()
                .quantize(
                        Tensor.ofFloats(weights, weights.length / columns, columns),
                        statistics,
                        team,
                        RowListener.NONE);
    }

    /// Everything that would be stored, in one array.
    private static byte[] bytes(Weight weight) {
        List<@Nullable Tensor> tensors = switch (weight) {
            case LutWeight w -> java.util.Arrays.asList(w.codes(), w.lut(), w.scale(), w.zero());
            case IntWeight w -> java.util.Arrays.asList(w.codes(), w.scale(), w.zero());
            default -> throw new AssertionError(weight);
        };
        java.io.ByteArrayOutputStream all = new java.io.ByteArrayOutputStream();
        for (Tensor tensor : tensors) {
            if (tensor != null) {
                all.writeBytes(tensor.data().toArray(java.lang.foreign.ValueLayout.JAVA_BYTE));
            }
        }
        return all.toByteArray();
    }
}
