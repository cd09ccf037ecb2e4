package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Assume;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.lifecycle.AfterContainer;

/// What holds for every format, whatever the weights.
final class RoundTripTest {
    private static final Team TEAM = new Team(1);

    @AfterContainer
    static void close() {
        TEAM.close();
    }

    /// Nearest levels are no farther away than half the widest gap between levels, in units of the group's largest
    /// magnitude; twice that for asymmetric formats, whose range is at most twice that magnitude.
    @Property(tries = 150)
    void storedValuesAreWithinHalfAGap(
            @ForAll Method method, @ForAll("weights") float[] weights, @ForAll @IntRange(min = 1, max = 70) int group) {
        Assume.that(method.inputBits() == 0); // those come with inputs and whole rows only
        float[] stored = store(method.id() + ",metadata=f32,weighting=none,group-size=" + group, weights);
        double gap = switch (method) {
            case INT2, ANY2, ANY2S -> 2 / 3.0;
            case INT3, ANY3, ANY3S -> 2 / 7.0;
            case INT4, ANY4, ANY4S -> 2 / 15.0;
            case INT8 -> 2 / 255.0;
            case NF4, FP4, FP4_E2M1, FPQ_W4A16, FPQ_W4A8, FPQ_W4A4 -> 1 / 3.0;
            case MX4 -> 0.5; // the largest level may be 6/8 of the largest weight
        };
        for (int from = 0; from < weights.length; from += group) {
            int to = Math.min(weights.length, from + group);
            float reach = Groups.absoluteMax(weights, from, to);
            for (int j = from; j < to; j++) {
                double bound =
                        method.id().startsWith("any") || method == Method.FPQ_W4A16 ? 2 * reach : gap / 2 * reach;
                assertThat((double) Math.abs(stored[j] - weights[j])).isLessThanOrEqualTo(bound * 1.0001 + 1e-6);
            }
        }
    }

    /// Levels learned for a row cannot be worse than evenly spaced ones, as all groups use the same.
    @Property(tries = 100)
    void aLearnedTableIsNoWorseThanIntegers(
            @ForAll("weights") float[] weights, @ForAll @IntRange(min = 2, max = 4) int bits) {
        String settings = bits + ",group-size=row,metadata=f32";
        double learned = squaredError(weights, store("any" + settings + ",kmeans=exact", weights));
        double integers = squaredError(weights, store("int" + settings, weights));
        assertThat(learned).isLessThanOrEqualTo(integers * (1 + 1e-5) + 1e-12);
    }

    /// What a format stores, it stores again unchanged; not so MX4, whose scale follows the largest weight in powers of
    /// two.
    @Property(tries = 100)
    void storedWeightsAreAFixedPoint(@ForAll("weights") float[] weights) {
        for (String spec : new String[] {"nf4", "fp4", "fp4-e2m1", "any4,kmeans=exact,symmetric=true"}) {
            float[] once = store(spec + ",metadata=f32,group-size=row", weights);
            float[] twice = store(spec + ",metadata=f32,group-size=row", once);
            assertThat(squaredError(once, twice))
                    .as(spec)
                    .isLessThanOrEqualTo(1e-10 * squaredError(once, new float[once.length]));
        }
    }

    @Provide
    Arbitrary<float[]> weights() {
        return Arbitraries.floats()
                .between(-3f, 3f)
                .array(float[].class)
                .ofMinSize(1)
                .ofMaxSize(150);
    }

    private static float[] store(String spec, float[] row) {
        Weight weight = QuantizationSpec.parse(spec)
                .quantizer()
                .quantize(Tensor.ofFloats(row, 1, row.length), null, TEAM, RowListener.NONE);
        return IntGoldenTest.values(weight);
    }

    private static double squaredError(float[] a, float[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) {
            sum += (a[i] - (double) b[i]) * (a[i] - (double) b[i]);
        }
        return sum;
    }
}
