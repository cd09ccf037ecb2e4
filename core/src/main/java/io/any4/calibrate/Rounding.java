package io.any4.calibrate;

import io.any4.checkpoint.InvalidInputException;

/// How the codes of a weight are chosen, given the Hessian of its input.
///
/// @param feedback whether by error feedback ([io.any4.quant.Gptq]) rather than to nearest
/// @param asymmetric whether feedback also makes up for inputs that differ from the original's (GPTAQ)
/// @param refinements rounds of [io.any4.quant.Refinement] at most; it stops when the error on held-out tokens rises
public record Rounding(boolean feedback, boolean asymmetric, int refinements) {
    /// Every weight on its own.
    public static final Rounding NEAREST = new Rounding(false, false, 0);
    /// By feedback alone.
    public static final Rounding GPTQ = new Rounding(true, false, 0);
    /// By feedback that aims at the outputs of the unquantized layer on unquantized inputs.
    public static final Rounding GPTAQ = new Rounding(true, true, 0);

    public Rounding {
        if (refinements < 0) {
            throw new InvalidInputException("the rounds of refinement must not be negative, but are " + refinements);
        }
        if (asymmetric && !feedback) {
            throw new IllegalArgumentException("only feedback can be asymmetric");
        }
        if (asymmetric && refinements > 0) {
            throw new InvalidInputException(
                    "refinement aims at another output than GPTAQ and would undo it: leave out one of the two");
        }
    }

    /// Whether Hessians are needed.
    public boolean usesHessian() {
        return feedback || refinements > 0;
    }
}
