package io.any4.quant;

import io.any4.quant.Method.Family;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.Arrays;

/// AWQ's clipping search (arXiv 2306.00978): a group may be better off if its largest weights are cut off,
/// because all others then get finer levels.
///
/// For each group the bound with the least squared error of the group's share of the output is kept. Query and
/// key projections are better left alone, as their outputs are multiplied with each other.
public final class ClipSearch {
    private static final int TRIALS = 10;
    private static final float STEP = 1 / 20f;

    private ClipSearch() {}

    /// The weights as F32, each group cut off at its best bound, from its largest magnitude down to 0.55 of it.
    ///
    /// @param weights `[out_features, channels]`
    /// @param hessian of the input; of it only the blocks of channels that share a group are used
    /// @param spec what the weights will be quantized to: a format whose groups do not depend on each other
    /// @param arena owner of the result
    public static Tensor clip(Tensor weights, Hessian hessian, QuantizationSpec spec, Team team, Arena arena) {
        RowLoop.requireMatrix(weights, null);
        if (spec.method().family() != Family.INTEGER && spec.method().family() != Family.FIXED_TABLE) {
            throw new IllegalArgumentException("the groups of " + spec.method().id() + " depend on each other");
        }
        int columns = hessian.channels();
        int groupSize = spec.groupSize(columns);
        int groups = Math.ceilDiv(columns, groupSize);
        int rows = Math.toIntExact(weights.rows());
        float[] bounds = new float[rows * groups];
        double[] least = new double[rows * groups];
        Arrays.fill(least, Double.POSITIVE_INFINITY);
        for (int trial = 0; trial < TRIALS; trial++) {
            float factor = 1 - trial * STEP;
            try (Arena trialArena = Arena.ofShared()) {
                Tensor clipped = Tensor.allocate(trialArena, DType.F32, rows, columns);
                clip(weights, clipped, groupSize, team, (row, group, absmax) -> factor * absmax);
                Weight weight = spec.quantizer().quantize(clipped, null, team, RowListener.NONE, trialArena);
                team.run(rows, 1, (from, to) -> {
                    Judge judge = new Judge(hessian, groupSize);
                    for (int row = from; row < to; row++) {
                        judge.compare(weights, weight, row, factor, bounds, least);
                    }
                });
            }
        }
        Tensor best = Tensor.allocate(arena, DType.F32, rows, columns);
        clip(weights, best, groupSize, team, (row, group, absmax) -> bounds[row * groups + group]);
        return best;
    }

    @FunctionalInterface
    private interface Bound {
        float of(int row, int group, float absmax);
    }

    private static void clip(Tensor weights, Tensor clipped, int groupSize, Team team, Bound bound) {
        int columns = (int) weights.columns();
        team.run((int) weights.rows(), 1, (from, to) -> {
            float[] values = new float[columns];
            for (int row = from; row < to; row++) {
                weights.copyRow(row, values, 0);
                for (int start = 0; start < columns; start += groupSize) {
                    int end = (int) Math.min(columns, (long) start + groupSize);
                    float limit = bound.of(row, start / groupSize, Groups.absoluteMax(values, start, end));
                    for (int j = start; j < end; j++) {
                        values[j] = Math.clamp(values[j], -limit, limit);
                    }
                }
                Awq.write(clipped, row, values);
            }
        });
    }

    /// Measures groups one by one, on one thread.
    private static final class Judge {
        private final Hessian hessian;
        private final int groupSize;
        private final float[] original;
        private final float[] stored;
        private final float[] moments;

        Judge(Hessian hessian, int groupSize) {
            this.hessian = hessian;
            this.groupSize = groupSize;
            original = new float[hessian.channels()];
            stored = new float[hessian.channels()];
            moments = new float[Math.min(groupSize, hessian.channels())];
        }

        void compare(Tensor weights, Weight weight, int row, float factor, float[] bounds, double[] least) {
            int columns = original.length;
            int groups = Math.ceilDiv(columns, groupSize);
            weights.copyRow(row, original, 0);
            weight.dequantizeRow(row, stored, 0);
            for (int group = 0; group < groups; group++) {
                int start = group * groupSize;
                int end = (int) Math.min(columns, (long) start + groupSize);
                double error = error(start, end);
                int at = row * groups + group;
                if (error < least[at]) {
                    least[at] = error;
                    bounds[at] = factor * Groups.absoluteMax(original, start, end);
                }
            }
        }

        /// `d H d^T` within one group.
        private double error(int start, int end) {
            double error = 0;
            for (int i = start; i < end; i++) {
                double d = (double) stored[i] - original[i];
                hessian.moments().copyTo((long) i * original.length + start, moments, 0, i - start + 1);
                double sum = 0.5 * moments[i - start] * d;
                for (int k = start; k < i; k++) {
                    sum += (double) moments[k - start] * (stored[k] - original[k]);
                }
                error += 2 * d * sum;
            }
            return error;
        }
    }
}
