package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// any4, any3 and any2 (arXiv 2507.04610, section 3): groups are scaled to `[-1, 1]`, then the scaled weights of
/// a row are clustered into a table by weighted k-means, and every weight takes the nearest entry.
///
/// Scales and zeros are rounded to the type they are stored in before anything is learned, and the table before
/// codes are assigned, so that what is optimised is what is stored. Centred values make that rounding cheap: a
/// group's zero is its midpoint, and the table is finest around 0.
final class AnyQuantizer implements Quantizer {
    private final QuantizationSpec spec;

    AnyQuantizer(QuantizationSpec spec) {
        this.spec = spec;
    }

    @Override
    public Weight quantize(
            Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, statistics);
        int columns = Math.toIntExact(weights.columns());
        WeightTensors output = new WeightTensors(spec, weights.rows(), columns, arena);
        float[] factors = spec.weighting().channelFactors(columns, statistics);
        float[] shared = null;
        if (spec.table() == TableScope.MATRIX) {
            shared = roundTable(new MatrixTable(spec, weights, factors).learn(team), 0);
            output.writeTable(0, shared);
        }
        float[] table = shared;
        new RowLoop(weights, statistics, () -> new Worker(columns, output, factors, table)).run(team, listener);
        return output.weight();
    }

    private float[] roundTable(float[] table, int row) {
        for (int k = 0; k < table.length; k++) {
            table[k] = WeightTensors.round(table[k], spec.metadata(), row);
        }
        return table;
    }

    private final class Worker extends RowWorker {
        private final WeightTensors output;
        private final @Nullable KMeans kmeans;
        private final ScaledRow scaled;
        private final float[] factors;
        private final float[] elementWeights;
        private final float[] table;
        private final LevelSearch search;
        private final byte[] codes;

        /// @param sharedTable the table of all rows, or null if each learns its own
        Worker(int columns, WeightTensors output, float[] factors, float @Nullable [] sharedTable) {
            super(columns);
            int levels = spec.method().levels();
            this.output = output;
            this.factors = factors;
            kmeans = sharedTable == null ? new KMeans(spec.kmeans(), columns, levels) : null;
            scaled = new ScaledRow(spec, columns);
            elementWeights = new float[columns];
            table = sharedTable == null ? new float[levels] : sharedTable;
            search = new LevelSearch(levels);
            search.use(table);
            codes = new byte[columns];
        }

        @Override
        void quantize(int index) {
            scaled.scale(row, index);
            if (kmeans != null) {
                scaled.elementWeights(spec.weighting().scalePower(), factors, elementWeights);
                kmeans.points().load(scaled.values(), elementWeights, row.length);
                kmeans.cluster(table.length, spec.seed() + index, table);
                roundTable(table, index);
                output.writeTable(index, table);
                search.use(table);
            }
            search.codes(scaled.values(), 0, codes.length, 1f, codes);
            read();
            output.writeRow(index, codes, scaled.scales(), scaled.zeros());
        }

        private void read() {
            for (int group = 0; group < output.groups(); group++) {
                float scale = scaled.scales()[group];
                float zero = scaled.zeros()[group];
                int to = output.groupEnd(group);
                for (int j = group * output.groupSize(); j < to; j++) {
                    stored[j] = table[codes[j]] * scale + zero;
                }
            }
        }
    }
}
