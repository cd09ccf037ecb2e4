package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// any4s, any3s and any2s: a table per row or matrix and signed 8-bit scales per group, fitted together.
///
/// `w = table[i][code] * scale[i][g]` with `scale` an integer from -127 to 127: the table carries the row's own
/// scale. Without zeros and with one byte per scale, groups of 32 cost what any4's groups of 128 do. A scale may
/// be negative: it then mirrors the table, which need not be symmetric.
///
/// A row starts from uneven levels and a scale search per group, as llama.cpp's IQ4 formats do. Then the table is
/// learned by k-means, and scales and table are improved in turns. Each step finds the least `sum of a_j * (w -
/// stored)^2` over what it may change, `a_j` being the weighting's channel factor, so no step makes it worse.
///
/// For a table that all rows share see [MatrixTableAndScales].
final class SignedScaleQuantizer implements Quantizer {
    private static final int ROUNDS = 3;

    private final QuantizationSpec spec;

    SignedScaleQuantizer(QuantizationSpec spec) {
        this.spec = spec;
    }

    @Override
    public Weight quantize(
            Tensor weights, @Nullable ChannelStatistics statistics, Team team, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, statistics);
        int columns = Math.toIntExact(weights.columns());
        WeightTensors output = new WeightTensors(spec, weights.rows(), columns, arena);
        float[] factors = spec.weighting().channelFactors(columns, statistics);
        if (spec.sharesTable()) {
            float[] table = new MatrixTableAndScales(spec, weights, factors).learn(team);
            roundTable(table, 0);
            output.writeTable(0, table);
            new RowLoop(weights, statistics, () -> new SharedTableWorker(columns, output, factors, table))
                    .run(team, listener);
        } else {
            new RowLoop(weights, statistics, () -> new Worker(columns, output, factors)).run(team, listener);
        }
        return output.weight();
    }

    private void roundTable(float[] table, int index) {
        for (int k = 0; k < table.length; k++) {
            table[k] = WeightTensors.round(table[k], spec.metadata(), index);
        }
    }

    private final class SharedTableWorker extends RowWorker {
        private final WeightTensors output;
        private final float[] table;
        private final GroupFit fit;

        SharedTableWorker(int columns, WeightTensors output, float[] factors, float[] table) {
            super(columns);
            this.output = output;
            this.table = table;
            fit = new GroupFit(row, factors, Math.min(columns, output.groupSize()), table.length);
            fit.use(table);
        }

        @Override
        void quantize(int index) {
            fit.fit();
            for (int j = 0; j < stored.length; j++) {
                stored[j] = table[fit.codes()[j]] * fit.scales()[j / output.groupSize()];
            }
            output.writeRow(index, fit.codes(), fit.scales(), null);
        }
    }

    private final class Worker extends RowWorker {
        private final WeightTensors output;
        private final KMeans kmeans;
        private final SignedScaleRow fit;
        private final float[] ratios;
        private final float[] elementWeights;

        Worker(int columns, WeightTensors output, float[] factors) {
            super(columns);
            this.output = output;
            kmeans = new KMeans(spec.kmeans(), columns, spec.method().levels());
            fit = new SignedScaleRow(row, factors, spec.groupSize(columns), spec.bits());
            ratios = new float[columns];
            elementWeights = new float[columns];
        }

        @Override
        void quantize(int index) {
            fit.searchScales();
            fit.ratios(ratios, elementWeights);
            kmeans.points().load(ratios, elementWeights, row.length);
            kmeans.cluster(fit.table().length, spec.seed() + index, fit.table());
            for (int round = 0; round < ROUNDS; round++) {
                fit.improveScales();
                fit.improveTable();
            }
            roundTable(fit.table(), index);
            fit.improveScales();
            fit.read(stored);
            output.writeTable(index, fit.table());
            output.writeRow(index, fit.codes(), fit.scales(), null);
        }
    }
}
