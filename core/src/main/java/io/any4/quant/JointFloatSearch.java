package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.FloatActivations;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Quantizes a layer's weights to 4-bit floats and its inputs to floats of 4 or 8 bits, by the error of its output on
/// sampled inputs (LLM-FP4, arXiv 2310.16836, sections 3.2 and 3.3).
///
/// In turns, the weights' format and every row's clipping range, and the inputs' format and range are chosen anew with
/// the other side held fixed. Every step is a least-squares problem in one vector at a time, so that candidates are
/// compared by a quadratic form; of all candidates the diagonal of the form selects a few, and the whole form decides.
/// Channels of the inputs may differ in their exponent bias by whole numbers.
///
/// Takes 12 bytes per weight, 16 per input sampled, 8 per output of a sampled token, and 4 x columns x columns.
public final class JointFloatSearch {
    private static final int ROUNDS = 3;

    /// What was chosen.
    ///
    /// @param weight with one scale per row
    /// @param activations for the inputs of the layer
    /// @param errors squared error of the outputs relative to their squares, after every step
    public record Result(Weight weight, FloatActivations activations, List<Double> errors) {
        public Result {
            errors = List.copyOf(errors);
        }
    }

    private final QuantizationSpec spec;
    private final Team team;
    private final boolean shifted;
    private final int shortlist;

    /// @param spec one that [QuantizationSpec#quantizesInputs]
    public JointFloatSearch(QuantizationSpec spec, Team team) {
        this(spec, team, true, Shortlist.LENGTH);
    }

    /// @param shifted whether each channel has its own exponent bias: false is the baseline of the paper
    /// @param shortlist candidates that are measured exactly
    JointFloatSearch(QuantizationSpec spec, Team team, boolean shifted, int shortlist) {
        if (!spec.quantizesInputs()) {
            throw new IllegalArgumentException(spec.method().id() + " does not quantize inputs");
        }
        this.spec = spec;
        this.team = team;
        this.shifted = shifted;
        this.shortlist = shortlist;
    }

    /// Quantizes one layer.
    ///
    /// @param weights F32, F16 or BF16 `[out_features, in_features]`
    /// @param sample of its inputs
    /// @param arena owner of the result's memory; it must allow access from the team's threads
    /// @throws io.any4.checkpoint.InvalidInputException if a weight is NaN or infinite
    public Result quantize(Tensor weights, InputSample sample, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, null);
        if (sample.channels() != weights.columns()) {
            throw new IllegalArgumentException("inputs of %d channels for a matrix with %d columns"
                    .formatted(sample.channels(), weights.columns()));
        }
        float[][] rows = rows(weights);
        float[][] inputs = rows(sample);
        float[][] outputs = outputs(rows, inputs);
        double size = 0;
        for (float[] ofRow : outputs) {
            size += squares(ofRow);
        }
        FloatWeights weightSearch = new FloatWeights(rows, outputs, spec.metadata(), shortlist, team);
        FloatInputs inputSearch = new FloatInputs(inputs, spec.method().inputBits(), shifted, shortlist, team);
        List<Double> errors = new ArrayList<>();
        for (int round = 0; round < ROUNDS; round++) {
            errors.add(relative(weightSearch.search(inputSearch.stored()), size));
            errors.add(relative(inputSearch.search(weightSearch.stored(), outputs), size));
        }
        return new Result(write(rows, inputs, weightSearch, listener, arena), inputSearch.best(), errors);
    }

    private static double relative(double lessSize, double size) {
        return size == 0 ? 0 : (lessSize + size) / size;
    }

    private static float[][] rows(Tensor weights) {
        float[][] rows = new float[Math.toIntExact(weights.rows())][Math.toIntExact(weights.columns())];
        for (int i = 0; i < rows.length; i++) {
            weights.copyRow(i, rows[i], 0);
            RowLoop.requireFinite(rows[i], i);
        }
        return rows;
    }

    private static float[][] rows(InputSample sample) {
        float[][] rows = new float[sample.tokens()][];
        for (int t = 0; t < rows.length; t++) {
            int from = t * sample.channels();
            rows[t] = Arrays.copyOfRange(sample.values(), from, from + sample.channels());
        }
        return rows;
    }

    private float[][] outputs(float[][] weights, float[][] inputs) {
        float[][] outputs = new float[weights.length][inputs.length];
        QuadraticForm.products(weights, weights[0].length, inputs, outputs, team);
        return outputs;
    }

    private static double squares(float[] values) {
        double sum = 0;
        for (float value : values) {
            sum += (double) value * value;
        }
        return sum;
    }

    private Weight write(float[][] rows, float[][] inputs, FloatWeights chosen, RowListener listener, Arena arena) {
        int columns = rows[0].length;
        WeightTensors output = new WeightTensors(spec, rows.length, columns, arena);
        FloatGrid grid = chosen.grid();
        output.writeTable(0, grid.levels());
        float[] moments = new float[columns];
        for (float[] input : inputs) {
            for (int j = 0; j < columns; j++) {
                moments[j] += input[j] * input[j] / inputs.length;
            }
        }
        byte[] codes = new byte[columns];
        float[] stored = new float[columns];
        ErrorStatistics sum = ErrorStatistics.EMPTY;
        for (int i = 0; i < rows.length; i++) {
            float scale = chosen.scales()[i];
            float inverse = grid.inverse(scale);
            for (int j = 0; j < columns; j++) {
                codes[j] = grid.code(rows[i][j], inverse);
                stored[j] = grid.levels()[codes[j]] * scale;
            }
            output.writeRow(i, codes, new float[] {scale}, null);
            sum = sum.plus(ErrorStatistics.ofRow(rows[i], stored, moments));
        }
        listener.progress(rows.length, rows.length, sum);
        return output.weight();
    }
}
