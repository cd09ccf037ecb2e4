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
        double[][] errors = new double[weights.length][GRIDS.size()];
        team.run(weights.length, 1, (from, to) -> {
            Rows rows = new Rows(form, inputs);
            for (int i = from; i < to; i += rows.together) {
                rows.search(i, Math.min(to, i + rows.together), bestScales, errors);
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
                grid.store(weights[i], 0, weights[i].length, scales[i], stored[i]);
            }
        });
        return stored;
    }

    /// The search for a few rows at a time, as many as have their candidates evaluated together.
    private final class Rows {
        private final QuadraticForm.Evaluator evaluator;
        private final float[] importance;
        private final float[][] inputs;
        private final int perRow = GRIDS.size() * (shortlist + 1);
        private final int together = Math.max(1, QuadraticForm.VECTORS / perRow);
        private final float[][] ofRow = new float[together][weights[0].length];
        private final float[][] linear = new float[together * perRow][];
        private final float[][] vectors = new float[together * perRow][weights[0].length];
        private final float[] tried = new float[together * perRow];
        private final double[] exact = new double[together * perRow];
        private final double[] diagonal = new double[FACTORS.length];
        private final float[] candidates = new float[FACTORS.length];
        private final float[] work = new float[weights[0].length];
        private final int[] firsts = new int[together * GRIDS.size() + 1];

        Rows(QuadraticForm form, float[][] inputs) {
            this.evaluator = form.new Evaluator();
            this.importance = form.diagonal();
            this.inputs = inputs;
        }

        /// @param best receives the best scale of each row, per format
        /// @param errors receives the error of each row, per format
        void search(int from, int to, float[][] best, double[][] errors) {
            int count = 0;
            int list = 0;
            for (int i = from; i < to; i++) {
                project(i, ofRow[i - from]);
                for (FloatGrid candidate : GRIDS) {
                    firsts[list++] = count;
                    count = nominate(i, candidate, ofRow[i - from], count);
                }
            }
            firsts[list] = count;
            evaluator.evaluate(vectors, linear, count, exact);
            for (int l = 0; l < list; l++) {
                int row = from + l / GRIDS.size();
                int format = l % GRIDS.size();
                int least = leastOf(firsts[l], firsts[l + 1]);
                best[format][row] = tried[least];
                errors[row][format] = exact[least];
            }
        }

        /// The linear part of a row's form: the inputs' transpose times its outputs.
        private void project(int index, float[] sums) {
            Arrays.fill(sums, 0);
            for (int t = 0; t < inputs.length; t++) {
                float[] input = inputs[t];
                float output = outputs[index][t];
                for (int j = 0; j < sums.length; j++) {
                    sums[j] += output * input[j];
                }
            }
        }

        /// Lists a row's most promising scales from place `at` on; returns the place after them.
        private int nominate(int index, FloatGrid candidate, float[] ofRow, int at) {
            float[] row = weights[index];
            float absmax = Groups.absoluteMax(row, 0, row.length);
            for (int k = 0; k < FACTORS.length; k++) {
                candidates[k] = candidate.scale(absmax * FACTORS[k], metadata, index);
                diagonal[k] = candidate.error(row, importance, 0, row.length, candidates[k], work);
            }
            int end = at;
            for (int k : Shortlist.smallest(diagonal, shortlist)) {
                tried[end++] = candidates[k];
            }
            if (scales.length > 0 && candidate.equals(grid)) {
                tried[end++] = scales[index]; // so that nothing gets worse
            }
            for (int c = at; c < end; c++) {
                candidate.store(row, 0, row.length, tried[c], vectors[c]);
                linear[c] = ofRow;
            }
            return end;
        }

        private int leastOf(int from, int to) {
            int least = from;
            for (int c = from + 1; c < to; c++) {
                least = exact[c] < exact[least] ? c : least;
            }
            return least;
        }
    }
}
