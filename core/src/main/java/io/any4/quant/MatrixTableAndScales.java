package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import java.util.Arrays;

/// Learns one table for a whole matrix whose groups have whole scales.
///
/// The unit of the scales is a 127th of the largest that the search of [SignedScaleRow] finds. From the same uneven
/// levels, in turns, each group takes the best of all scales and each entry the weighted mean of what has its code. A
/// sample of the rows is enough to learn 16 numbers.
final class MatrixTableAndScales {
    private static final int ROUNDS = 8;
    private static final long SAMPLE = 1 << 16;
    private static final int LARGEST_SCALE = 127;

    /// Parts whose sums are added in order, so that the result does not depend on the number of threads.
    private static final int PARTS = 8;

    private final QuantizationSpec spec;
    private final Tensor weights;
    private final float[] factors;
    private final int groupSize;
    private final int rows;
    private final long sampled;
    private final float[] largest = new float[PARTS];
    private final double[][] numerators;
    private final double[][] denominators;

    MatrixTableAndScales(QuantizationSpec spec, Tensor weights, float[] factors) {
        this.spec = spec;
        this.weights = weights;
        this.factors = factors;
        groupSize = Math.min(spec.groupSize(factors.length), factors.length);
        rows = Math.toIntExact(weights.rows());
        sampled = Math.clamp(SAMPLE / factors.length, 1, rows);
        numerators = new double[PARTS][spec.method().levels()];
        denominators = new double[PARTS][spec.method().levels()];
    }

    /// The table, in units of a scale's step.
    float[] learn(Team team) {
        team.run(PARTS, 1, (from, to) -> {
            for (int part = from; part < to; part++) {
                measure(part);
            }
        });
        float unit = 0f;
        for (float ofPart : largest) {
            unit = Math.max(unit, ofPart / LARGEST_SCALE);
        }
        float[] table = Grid.uneven(spec.bits());
        for (int k = 0; k < table.length; k++) {
            table[k] *= unit;
        }
        for (int round = 0; round < ROUNDS; round++) {
            team.run(PARTS, 1, (from, to) -> {
                for (int part = from; part < to; part++) {
                    gather(part, table);
                }
            });
            improve(table);
        }
        return table;
    }

    /// The row that is the `i`th of the sample.
    private long row(long i) {
        return i * rows / sampled;
    }

    /// Finds the largest scale of a part of the sample.
    private void measure(int part) {
        float[] row = new float[factors.length];
        SignedScaleRow fit = new SignedScaleRow(row, factors, groupSize, spec.bits());
        for (long i = sampled * part / PARTS; i < sampled * (part + 1) / PARTS; i++) {
            read(i, row);
            largest[part] = Math.max(largest[part], fit.largestScale());
        }
    }

    private void read(long i, float[] row) {
        weights.copyRow(row(i), row, 0);
        RowLoop.requireFinite(row, Math.toIntExact(row(i)));
    }

    private void gather(int part, float[] table) {
        double[] numerator = numerators[part];
        double[] denominator = denominators[part];
        Arrays.fill(numerator, 0);
        Arrays.fill(denominator, 0);
        float[] row = new float[factors.length];
        GroupFit fit = new GroupFit(row, factors, groupSize, table.length);
        fit.use(table);
        for (long i = sampled * part / PARTS; i < sampled * (part + 1) / PARTS; i++) {
            read(i, row);
            fit.fit();
            for (int j = 0; j < row.length; j++) {
                double scale = fit.scales()[j / groupSize];
                double weighted = factors[j] * scale;
                numerator[fit.codes()[j]] += weighted * row[j];
                denominator[fit.codes()[j]] += weighted * scale;
            }
        }
    }

    private void improve(float[] table) {
        for (int k = 0; k < table.length; k++) {
            double numerator = 0;
            double denominator = 0;
            for (int part = 0; part < PARTS; part++) {
                numerator += numerators[part][k];
                denominator += denominators[part][k];
            }
            if (denominator > 0) {
                table[k] = (float) (numerator / denominator);
            }
        }
        Arrays.sort(table); // an entry without weights may have been overtaken
    }
}
