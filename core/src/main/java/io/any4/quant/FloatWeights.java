package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tinygemm.Team;
import java.util.Arrays;
import java.util.List;

/// One half of [JointFloatSearch]: format and scales of the weights for given quantized inputs.
final class FloatWeights {
    private static final List<FloatGrid> GRIDS = FloatGrid.all();
    private static final double[] FACTORS = FloatGrid.clippingFactors();

    private final float[][] weights;
    private final float[][] outputs;
    private final DType metadata;
    private final int shortlist;
    private final Team team;
    private FloatGrid grid = GRIDS.getFirst();
    private float[] scales = new float[0];

    /// @param weights `[rows, columns]`
    /// @param outputs `[rows, tokens]`, of the unquantized layer
    /// @param shortlist candidates per row and format that are measured exactly
    FloatWeights(float[][] weights, float[][] outputs, DType metadata, int shortlist, Team team) {
        this.weights = weights;
        this.outputs = outputs;
        this.metadata = metadata;
        this.shortlist = shortlist;
        this.team = team;
    }

    FloatGrid grid() {
        return grid;
    }

    /// Scale of each row.
    float[] scales() {
        return scales;
    }

    /// Chooses anew, never for the worse.
    ///
    /// @param inputs quantized, `[tokens, columns]`
    /// @return the squared error of the outputs, less the outputs' squares
    double search(float[][] inputs) {
        QuadraticForm form = QuadraticForm.of(inputs, team);
        float[][] bestScales = new float[GRIDS.size()][weights.length];
        double[][] errors = new double[weights.length][];
        team.run(weights.length, 1, (from, to) -> {
            Row row = new Row(form, inputs);
            for (int i = from; i < to; i++) {
                errors[i] = row.search(i, bestScales);
            }
        });
        int best = 0;
        double least = Double.POSITIVE_INFINITY;
        for (int f = 0; f < GRIDS.size(); f++) {
            double sum = 0;
            for (double[] ofRow : errors) {
                sum += ofRow[f];
            }
            if (sum < least) {
                least = sum;
                best = f;
            }
        }
        grid = GRIDS.get(best);
        scales = bestScales[best];
        return least;
    }

    /// The weights as they will be stored.
    float[][] stored() {
        float[][] stored = new float[weights.length][weights[0].length];
        team.run(stored.length, 1, (from, to) -> {
            for (int i = from; i < to; i++) {
                fill(grid, scales[i], weights[i], stored[i]);
            }
        });
        return stored;
    }

    private static void fill(FloatGrid grid, float scale, float[] row, float[] stored) {
        float inverse = grid.inverse(scale);
        for (int j = 0; j < row.length; j++) {
            stored[j] = grid.stored(row[j], inverse, scale);
        }
    }

    /// The search for one row at a time.
    private final class Row {
        private final QuadraticForm form;
        private final float[][] inputs;
        private final float[] linear;
        private final float[][] vectors;
        private final float[][] products;
        private final double[] exact = new double[shortlist + 1];
        private final double[] diagonal = new double[FACTORS.length];
        private final float[] candidates = new float[FACTORS.length];

        Row(QuadraticForm form, float[][] inputs) {
            int columns = weights[0].length;
            this.form = form;
            this.inputs = inputs;
            linear = new float[columns];
            vectors = new float[shortlist + 1][columns];
            products = new float[shortlist + 1][columns];
        }

        /// @param best receives the best scale of the row, per format
        /// @return its error, per format
        double[] search(int index, float[][] best) {
            Arrays.fill(linear, 0);
            for (int t = 0; t < inputs.length; t++) {
                QuadraticForm.addScaled(inputs[t], outputs[index][t], linear);
            }
            double[] errors = new double[GRIDS.size()];
            for (int f = 0; f < errors.length; f++) {
                errors[f] = search(index, GRIDS.get(f), best[f]);
            }
            return errors;
        }

        private double search(int index, FloatGrid candidate, float[] best) {
            float[] row = weights[index];
            float absmax = Groups.absoluteMax(row, 0, row.length);
            for (int k = 0; k < FACTORS.length; k++) {
                candidates[k] = candidate.scale(absmax * FACTORS[k], metadata, index);
                diagonal[k] = diagonalError(candidate, candidates[k], row);
            }
            int[] chosen = Shortlist.smallest(diagonal, shortlist);
            int count = 0;
            float[] tried = new float[chosen.length + 1];
            for (int k : chosen) {
                tried[count++] = candidates[k];
            }
            if (scales.length > 0 && candidate.equals(grid)) {
                tried[count++] = scales[index]; // so that nothing gets worse
            }
            for (int c = 0; c < count; c++) {
                fill(candidate, tried[c], row, vectors[c]);
            }
            form.evaluate(vectors, count, linear, products, exact);
            int least = 0;
            for (int c = 1; c < count; c++) {
                least = exact[c] < exact[least] ? c : least;
            }
            best[index] = tried[least];
            return exact[least];
        }

        private double diagonalError(FloatGrid candidate, float scale, float[] row) {
            float inverse = candidate.inverse(scale);
            double error = 0;
            for (int j = 0; j < row.length; j++) {
                double difference = candidate.stored(row[j], inverse, scale) - row[j];
                error += form.diagonal(j) * difference * difference;
            }
            return error;
        }
    }
}
