package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.tensor.DType;
import io.any4.tinygemm.LutWeight;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// any4s, any3s and any2s: what the format is, and that fitting scales and table together pays.
final class SignedScaleTest {
    @Test
    void theFormatIsBytesPerGroupAndATablePerRow() {
        LutWeight weight = (LutWeight) new LayerProblem(1).quantize("any4s");
        assertThat(weight.scale().dtype()).isEqualTo(DType.I8);
        assertThat(weight.groupSize()).isEqualTo(32);
        assertThat(weight.zero()).isNull();
        assertThat(weight.lut().dtype()).isEqualTo(DType.BF16);
        assertThat(weight.lut().rows()).isEqualTo(LayerProblem.ROWS);
        boolean negative = false;
        for (float scale : weight.scale().toFloats()) {
            assertThat(scale).isBetween(-127f, 127f);
            negative |= scale < 0;
        }
        assertThat(negative).as("some group mirrors its table").isTrue();
        assertThat(QuantizationSpec.parse("any4s").bitsPerWeight(4096, 4096)).isEqualTo(4.3125);
        assertThat(QuantizationSpec.parse("any3s").bitsPerWeight(4096, 4096)).isEqualTo(3.28125);
    }

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 4})
    void outputsAreBetterThanWithScalesAndZerosOfSixteenBits(int bits) {
        for (long seed = 1; seed <= 3; seed++) {
            LayerProblem problem = new LayerProblem(seed);
            double signed = problem.outputError(problem.quantize("any" + bits + "s"));
            double plain = problem.outputError(problem.quantize("any" + bits + ",kmeans=exact"));
            assertThat(signed).as("seed %d", seed).isLessThan(plain);
        }
    }

    @Test
    void noImprovementMakesTheFitWorse() {
        LayerProblem problem = new LayerProblem(5);
        float[] factors = Weighting.SECOND_MOMENT.channelFactors(LayerProblem.COLUMNS, problem.statistics());
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            float[] weights = row(problem, row);
            SignedScaleRow fit = started(weights, factors);
            fit.improveScales();
            double error = error(fit, weights, factors);
            for (int round = 0; round < 5; round++) {
                fit.improveTable();
                double afterTable = error(fit, weights, factors);
                assertThat(afterTable).isLessThanOrEqualTo(error * (1 + 1e-6));
                fit.improveScales();
                error = error(fit, weights, factors);
                assertThat(error).isLessThanOrEqualTo(afterTable * (1 + 1e-6));
            }
        }
    }

    /// The same method in double arithmetic, by looking at every level and every scale near the best.
    @Test
    void theFitIsThatOfAPlainImplementation() {
        LayerProblem problem = new LayerProblem(6);
        float[] factors = Weighting.SECOND_MOMENT.channelFactors(LayerProblem.COLUMNS, problem.statistics());
        float[] stored = IntGoldenTest.values(problem.quantize("any4s,metadata=f32,kmeans=exact"));
        double ours = 0;
        double plain = 0;
        for (int row = 0; row < LayerProblem.ROWS; row++) {
            float[] weights = row(problem, row);
            for (int j = 0; j < weights.length; j++) {
                double difference = weights[j] - (double) stored[row * weights.length + j];
                ours += factors[j] * difference * difference;
            }
            plain += new PlainSignedScales(weights, factors).fit(3);
        }
        assertThat(ours).isCloseTo(plain, within(2e-3 * plain));
    }

    /// A table per row is 1.6 bits per weight here: as much as scales of groups of 4 instead of 20 are.
    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3})
    void oneTableAndSmallGroupsAreBetterForShortRows(long seed) {
        LayerProblem problem = new LayerProblem(seed);
        LutWeight shared = (LutWeight) problem.quantize("any4s,table=matrix,group-size=4");
        LutWeight own = (LutWeight) problem.quantize("any4s,group-size=20");
        assertThat(shared.lut().rows()).isEqualTo(1);
        assertThat(shared.scale().dtype()).isEqualTo(DType.I8);
        assertThat(shared.bytes()).isLessThanOrEqualTo(own.bytes() + 32);
        assertThat(problem.outputError(shared)).isLessThan(0.5 * problem.outputError(own));
    }

    /// The same method in double arithmetic, by looking at every level and every scale.
    @Test
    void theFitOfOneTableIsThatOfAPlainImplementation() {
        LayerProblem problem = new LayerProblem(7);
        float[] factors = Weighting.SECOND_MOMENT.channelFactors(LayerProblem.COLUMNS, problem.statistics());
        float[] stored = IntGoldenTest.values(problem.quantize("any4s,metadata=f32,table=matrix,group-size=32"));
        double ours = 0;
        double[][] rows = new double[LayerProblem.ROWS][];
        double unit = 0;
        for (int i = 0; i < rows.length; i++) {
            PlainSignedScales row = new PlainSignedScales(row(problem, i), factors);
            for (int group = 0; group < row.scales.length; group++) {
                unit = Math.max(unit, Math.abs(row.startScale(group)) / 127);
            }
            for (int j = 0; j < LayerProblem.COLUMNS; j++) {
                double difference = row.w[j] - (double) stored[i * LayerProblem.COLUMNS + j];
                ours += factors[j] * difference * difference;
            }
        }
        double[] table = new double[16];
        for (int k = 0; k < 16; k++) {
            table[k] = PlainSignedScales.START[k] / 127 * unit;
        }
        double plain = 0;
        for (int round = 0; round <= 8; round++) {
            double[] product = new double[16];
            double[] square = new double[16];
            plain = 0;
            for (int i = 0; i < rows.length; i++) {
                PlainSignedScales row = new PlainSignedScales(row(problem, i), factors);
                row.table = table;
                plain += row.bestScales(product, square);
            }
            table = PlainSignedScales.centroids(table, product, square);
        }
        assertThat(ours).isCloseTo(plain, within(2e-3 * plain));
    }

    private static float[] row(LayerProblem problem, int row) {
        int from = row * LayerProblem.COLUMNS;
        return Arrays.copyOfRange(problem.weights(), from, from + LayerProblem.COLUMNS);
    }

    private static SignedScaleRow started(float[] weights, float[] factors) {
        SignedScaleRow fit = new SignedScaleRow(weights, factors, 32, 4);
        fit.searchScales();
        float[] ratios = new float[weights.length];
        float[] elementWeights = new float[weights.length];
        fit.ratios(ratios, elementWeights);
        KMeans kmeans = new KMeans(Clustering.EXACT, weights.length, 16);
        kmeans.points().load(ratios, elementWeights, weights.length);
        kmeans.cluster(16, 0, fit.table());
        return fit;
    }

    private static double error(SignedScaleRow fit, float[] weights, float[] factors) {
        float[] stored = new float[weights.length];
        fit.read(stored);
        double error = 0;
        for (int j = 0; j < weights.length; j++) {
            double difference = weights[j] - (double) stored[j];
            error += factors[j] * difference * difference;
        }
        return error;
    }

    /// One row, groups of 32, 16 levels.
    private static final class PlainSignedScales {
        private static final double[] START = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113
        };
        private final float[] w;
        private final float[] a;
        private final double[] scales;
        private double[] table = new double[16];

        PlainSignedScales(float[] weights, float[] factors) {
            w = weights;
            a = factors;
            scales = new double[weights.length / 32];
        }

        double fit(int rounds) {
            start();
            cluster();
            for (int round = 0; round < rounds; round++) {
                fitScales();
                fitTable();
            }
            fitScales();
            double error = 0;
            for (int group = 0; group < scales.length; group++) {
                error += error(group, scales[group]);
            }
            return error;
        }

        private void start() {
            double largest = 0;
            for (int group = 0; group < scales.length; group++) {
                scales[group] = startScale(group);
                largest = Math.max(largest, Math.abs(scales[group]));
            }
            for (int group = 0; group < scales.length; group++) {
                scales[group] = Math.rint(scales[group] / largest * 127);
            }
        }

        private double startScale(int group) {
            double max = 0;
            double mean = 0;
            for (int j = 32 * group; j < 32 * group + 32; j++) {
                max = Math.max(max, Math.abs(w[j]));
                mean += w[j] * w[j] / 32;
            }
            double best = 0;
            double bestGain = 0;
            for (int trial = 0; trial < 10; trial++) {
                for (int sign = 1; sign >= -1; sign -= 2) {
                    double scale = sign * max * (0.6 + trial * 0.05);
                    double product = 0;
                    double square = 0;
                    for (int j = 32 * group; j < 32 * group + 32; j++) {
                        double level = START[nearest(START, w[j] / scale * 127)] / 127;
                        double weight = a[j] * Math.sqrt(2 * mean + w[j] * w[j]);
                        product += weight * level * w[j];
                        square += weight * level * level;
                    }
                    if (product * product / square > bestGain) {
                        bestGain = product * product / square;
                        best = product / square;
                    }
                }
            }
            return best;
        }

        private void cluster() {
            float[] ratios = new float[w.length];
            float[] weights = new float[w.length];
            for (int j = 0; j < w.length; j++) {
                double scale = scales[j / 32];
                ratios[j] = scale == 0 ? 0 : (float) (w[j] / scale);
                weights[j] = (float) (a[j] * scale * scale);
            }
            KMeans kmeans = new KMeans(Clustering.EXACT, w.length, 16);
            kmeans.points().load(ratios, weights, w.length);
            float[] centroids = new float[16];
            kmeans.cluster(16, 0, centroids);
            Arrays.setAll(table, k -> centroids[k]);
        }

        private void fitScales() {
            for (int group = 0; group < scales.length; group++) {
                double product = 0;
                double square = 0;
                for (int j = 32 * group; j < 32 * group + 32; j++) {
                    double level = level(j, scales[group]);
                    product += a[j] * level * w[j];
                    square += a[j] * level * level;
                }
                double center = Math.clamp(Math.rint(product / square), -126, 126);
                double best = scales[group];
                for (double scale : new double[] {center - 1, center, center + 1}) {
                    best = error(group, scale) < error(group, best) ? scale : best;
                }
                scales[group] = best;
            }
        }

        /// Chooses each group's scale among all, and adds up what each level should be.
        double bestScales(double[] product, double[] square) {
            double sum = 0;
            for (int group = 0; group < scales.length; group++) {
                for (int scale = -127; scale <= 127; scale++) {
                    scales[group] = error(group, scale) < error(group, scales[group]) ? scale : scales[group];
                }
                sum += error(group, scales[group]);
            }
            gather(product, square);
            return sum;
        }

        private void fitTable() {
            double[] product = new double[16];
            double[] square = new double[16];
            gather(product, square);
            table = centroids(table, product, square);
        }

        private void gather(double[] product, double[] square) {
            for (int j = 0; j < w.length; j++) {
                double scale = scales[j / 32];
                int code = nearest(table, scale == 0 ? 0 : w[j] / scale);
                product[code] += a[j] * scale * w[j];
                square[code] += a[j] * scale * scale;
            }
        }

        static double[] centroids(double[] table, double[] product, double[] square) {
            double[] next = table.clone();
            Arrays.setAll(next, k -> square[k] > 0 ? product[k] / square[k] : table[k]);
            Arrays.sort(next);
            return next;
        }

        private double error(int group, double scale) {
            double error = 0;
            for (int j = 32 * group; j < 32 * group + 32; j++) {
                double difference = w[j] - level(j, scale) * scale;
                error += a[j] * difference * difference;
            }
            return error;
        }

        private double level(int j, double scale) {
            return table[nearest(table, scale == 0 ? 0 : w[j] / scale)];
        }

        private static int nearest(double[] levels, double x) {
            int best = 0;
            for (int k = 1; k < levels.length; k++) {
                best = Math.abs(levels[k] - x) < Math.abs(levels[best] - x) ? k : best;
            }
            return best;
        }
    }
}
