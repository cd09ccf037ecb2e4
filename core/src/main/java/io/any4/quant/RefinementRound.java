package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import java.lang.foreign.Arena;
import java.util.Arrays;

/// What one round of refinement reads and writes, and what came of it; each row is written by one thread.
///
/// @param input the weight before
/// @param output the weight after; the same if nothing shall change
/// @param errors of the layer's output, per row
/// @param heldOutErrors the same on held-out tokens
/// @param rows differences between stored and original weights, per row
record RefinementRound(
        LutWeight input, LutWeight output, double[] errors, double[] heldOutErrors, ErrorStatistics[] rows) {
    /// A round that only measures.
    static RefinementRound unchanged(LutWeight weight) {
        return new RefinementRound(
                weight,
                weight,
                new double[weight.rows()],
                new double[weight.rows()],
                new ErrorStatistics[weight.rows()]);
    }

    /// A round that makes a new weight; a table that all rows share is shared with the old one too.
    static RefinementRound of(LutWeight input, Arena arena) {
        Tensor zero = input.zero();
        LutWeight output = new LutWeight(
                input.bits(),
                input.columns(),
                input.groupSize(),
                like(input.codes(), arena),
                input.lut().rows() == 1 ? input.lut() : like(input.lut(), arena),
                like(input.scale(), arena),
                zero == null ? null : like(zero, arena));
        return new RefinementRound(
                input, output, new double[input.rows()], new double[input.rows()], new ErrorStatistics[input.rows()]);
    }

    private static Tensor like(Tensor tensor, Arena arena) {
        return Tensor.allocate(arena, tensor.dtype(), tensor.rows(), tensor.columns());
    }

    double error() {
        return sum(errors);
    }

    double heldOutError() {
        return sum(heldOutErrors);
    }

    ErrorStatistics statistics() {
        return Arrays.stream(rows).reduce(ErrorStatistics.EMPTY, ErrorStatistics::plus);
    }

    private static double sum(double[] values) {
        double sum = 0;
        for (double value : values) {
            sum += value;
        }
        return sum;
    }
}
