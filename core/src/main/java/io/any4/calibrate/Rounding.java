package io.any4.calibrate;

import io.any4.checkpoint.InvalidInputException;

/// How the codes of a weight are chosen, given the Hessian of its input.
///
/// @param feedback whether by error feedback ([io.any4.quant.Gptq]) rather than to nearest
/// @param refinements rounds of [io.any4.quant.Refinement] at most; it stops when the error on held-out tokens rises
public record Rounding(boolean feedback, int refinements) {
    /// Every weight on its own.
    public static final Rounding NEAREST = new Rounding(false, 0);
    /// By feedback alone.
    public static final Rounding GPTQ = new Rounding(true, 0);

    public Rounding {
        if (refinements < 0) {
            throw new InvalidInputException("the rounds of refinement must not be negative, but are " + refinements);
        }
    }

    /// Whether Hessians are needed.
    public boolean usesHessian() {
        return feedback || refinements > 0;
    }
}
