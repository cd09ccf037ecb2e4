package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// The weight-only form of LLM-FP4 (arXiv 2310.16836, section 3.2): per group the clipping range, and for the whole
/// matrix the 4-bit float format, with the least expected squared error of the output if channels are uncorrelated.
final class FloatQuantizer implements Quantizer {
    private static final double[] FACTORS = FloatGrid.clippingFactors();

    private final QuantizationSpec spec;
    private final List<FloatGrid> grids = FloatGrid.all();

    FloatQuantizer(QuantizationSpec spec) {
        this.spec = spec;
    }

    @Override
    public Weight quantize(
            Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, statistics);
        int columns = Math.toIntExact(weights.columns());
        float[] importance = spec.weighting().channelFactors(columns, statistics);
        WeightTensors output = new WeightTensors(spec, weights.rows(), columns, arena);
        FloatGrid grid = grids.get(bestFormat(weights, importance, output, team));
        output.writeTable(0, grid.levels());
        new RowLoop(weights, statistics, () -> new Worker(columns, grid, importance, output)).run(team, listener);
        return output.weight();
    }

    /// The format with the least error over all rows, each at its best clipping ranges.
    private int bestFormat(Tensor weights, float[] importance, WeightTensors output, Team team) {
        int rows = Math.toIntExact(weights.rows());
        double[][] errors = new double[rows][grids.size()];
        team.run(rows, 1, (from, to) -> {
            float[] row = new float[importance.length];
            Search search = new Search(row, importance);
            for (int i = from; i < to; i++) {
                weights.copyRow(i, row, 0);
                RowLoop.requireFinite(row, i);
                for (int f = 0; f < grids.size(); f++) {
                    errors[i][f] = search.run(i, grids.get(f), output, null);
                }
            }
        });
        int best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int f = 0; f < grids.size(); f++) {
            double sum = 0;
            for (double[] ofRow : errors) {
                sum += ofRow[f];
            }
            if (sum < least) {
                least = sum;
                best = f;
            }
        }
        return best;
    }

    /// Finds the scales of one row after the other.
    private final class Search {
        private final float[] row;
        private final float[] importance;
        private final float[] work;

        /// @param row refilled for each row
        Search(float[] row, float[] importance) {
            this.row = row;
            this.importance = importance;
            work = new float[row.length];
        }

        /// @param index of the row, for error messages
        /// @param scales receives the best scale of each group, or null if only the error is of interest
        /// @return the least weighted squared error
        double run(int index, FloatGrid grid, WeightTensors output, float @Nullable [] scales) {
            double sum = 0;
            int from = 0;
            for (int group = 0; group < output.groups(); group++) {
                int to = output.groupEnd(group);
                float absmax = Groups.absoluteMax(row, from, to);
                double least = Double.POSITIVE_INFINITY;
                for (double factor : FACTORS) {
                    float scale = grid.scale(absmax * factor, spec.metadata(), index);
                    double error = grid.error(row, importance, from, to, scale, work);
                    if (error < least) {
                        least = error;
                        if (scales != null) {
                            scales[group] = scale;
                        }
                    }
                }
                sum += least;
                from = to;
            }
            return sum;
        }
    }

    private final class Worker extends RowWorker {
        private final FloatGrid grid;
        private final Search search;
        private final WeightTensors output;
        private final byte[] codes;
        private final float[] scales;

        Worker(int columns, FloatGrid grid, float[] importance, WeightTensors output) {
            super(columns);
            this.grid = grid;
            this.search = new Search(row, importance);
            this.output = output;
            codes = new byte[columns];
            scales = new float[output.groups()];
        }

        @Override
        void quantize(int index) {
            search.run(index, grid, output, scales);
            int from = 0;
            for (int group = 0; group < scales.length; group++) {
                int to = output.groupEnd(group);
                float inverse = grid.inverse(scales[group]);
                for (int j = from; j < to; j++) {
                    codes[j] = grid.code(row[j], inverse);
                    stored[j] = grid.levels()[codes[j]] * scales[group];
                }
                from = to;
            }
            output.writeRow(index, codes, scales, null);
        }
    }
}
