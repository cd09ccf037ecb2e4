package io.any4.calibrate;

import io.any4.quant.Gptq;
import io.any4.quant.Hessian;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// Chooses the codes of quantized weights by feedback; a Hessian is prepared once for all layers with the same input.
final class Feedback {
    private final Team team;
    private @Nullable Hessian hessian;
    private @Nullable Gptq prepared;

    Feedback(Team team) {
        this.team = team;
    }

    /// A weight with the levels of `levels` and codes chosen anew.
    Weight apply(Hessian hessianOfInput, Tensor weights, Weight levels, RowListener listener, Arena arena) {
        Gptq gptq = prepared;
        if (gptq == null || hessian != hessianOfInput) {
            prepared = null; // makes room for the next
            gptq = Gptq.prepare(hessianOfInput, Gptq.Settings.USUAL, team);
            hessian = hessianOfInput;
            prepared = gptq;
        }
        return gptq.requantize(weights, levels, team, listener, arena).weight();
    }
}
