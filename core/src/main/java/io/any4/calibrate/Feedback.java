package io.any4.calibrate;

import io.any4.quant.Gptq;
import io.any4.quant.GroupGptq;
import io.any4.quant.Hessian;
import io.any4.quant.InputShift;
import io.any4.quant.Refinement;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Improves quantized weights with the Hessian of their input, which is prepared once for all layers with the same one.
final class Feedback {
    private final Team team;
    private final Rounding rounding;
    private @Nullable Hessian hessian;
    private @Nullable Gptq gptq;
    private @Nullable GroupGptq groupGptq;
    private @Nullable Refinement refinement;

    Feedback(Rounding rounding, Team team) {
        this.rounding = rounding;
        this.team = team;
    }

    /// A weight of the format of `levels`, with codes chosen anew and, if it is refined, tables and scales as well.
    Weight apply(
            Hessian hessianOfInput,
            @Nullable Hessian heldOut,
            @Nullable InputShift shift,
            Tensor weights,
            Weight levels,
            RowListener listener,
            Arena arena) {
        if (hessian != hessianOfInput) {
            gptq = null; // makes room for the next
            groupGptq = null;
            refinement = null;
            hessian = hessianOfInput;
        }
        Weight result = levels;
        if (rounding.feedback() && shift == null && levels instanceof LutWeight lut && GroupGptq.suits(lut)) {
            if (groupGptq == null || !groupGptq.isFor(lut.groupSize())) {
                groupGptq = GroupGptq.prepare(hessianOfInput, lut.groupSize(), Gptq.Settings.USUAL.damping(), team);
            }
            result = groupGptq.requantize(weights, lut, team, listener, arena).weight();
        } else if (rounding.feedback()) {
            gptq = gptq == null ? Gptq.prepare(hessianOfInput, shift, Gptq.Settings.USUAL, team) : gptq;
            result = gptq.requantize(weights, levels, team, listener, arena).weight();
        }
        if (rounding.refinements() > 0) {
            double damping = Gptq.Settings.USUAL.damping();
            refinement = refinement == null ? Refinement.prepare(hessianOfInput, heldOut, damping) : refinement;
            result = refinement
                    .refine(weights, result, rounding.refinements(), team, listener, arena)
                    .weight();
        }
        return result;
    }
}
