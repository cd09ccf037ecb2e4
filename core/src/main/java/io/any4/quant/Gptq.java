package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import org.jspecify.annotations.Nullable;

/// GPTQ (arXiv 2210.17323): rounds a row's weights one after the other, each making up for the output error that
/// the earlier ones left, as far as the Hessian says it can.
///
/// Given how the layer's inputs moved when the layers before it were quantized, it aims at what the unquantized
/// layer makes of the original inputs instead (GPTAQ, arXiv 2504.02692).
///
/// Works on any format: a quantized weight supplies the levels (its tables, scales and zeros, which stay), and
/// only the codes are chosen anew. Groups are therefore static, and channels may be taken in the order of their
/// activations without any trace in the result. Rows are independent and their arithmetic is the same in any
/// company, so the result does not depend on the number of threads.
public final class Gptq {
    private final FeedbackFactor factor;
    private final float @Nullable [][] shiftFeedback;

    private Gptq(FeedbackFactor factor, float @Nullable [][] shiftFeedback) {
        this.factor = factor;
        this.shiftFeedback = shiftFeedback;
    }

    /// How to go about it.
    ///
    /// @param damping what is added to the Hessian's diagonal, relative to its mean; more if it takes more to
    ///     factor it
    /// @param byActivation whether channels with larger activations are rounded first ("act-order")
    /// @param shiftShare how much of a shift of the inputs is made up for, from 0 to 1: calibration data says less
    ///     about the shift than about the inputs, so all of it is too much
    public record Settings(double damping, boolean byActivation, double shiftShare) {
        public static final Settings USUAL = new Settings(0.01, true, 0.25);

        public Settings {
            if (!(shiftShare >= 0 && shiftShare <= 1)) {
                throw new IllegalArgumentException("the share of the shift lies between 0 and 1, not at " + shiftShare);
            }
            if (!(damping >= 0) || Double.isInfinite(damping)) {
                throw new IllegalArgumentException("the damping must not be negative, but is " + damping);
            }
        }
    }

    /// A weight with its codes chosen anew.
    ///
    /// @param weight with the tables, scales and zeros of the one it was made from
    /// @param outputError mean over tokens of the squared error of the layer's output, summed over its features,
    ///     as the damped Hessian has it; against what the shift makes of the weights if there is one
    public record Result(Weight weight, double outputError) {}

    /// Prepares for all weights that take the same input, such as the projections of an attention layer.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the Hessian is not finite
    public static Gptq prepare(Hessian hessian, Settings settings, Team team) {
        return prepare(hessian, null, settings, team);
    }

    /// Prepares GPTAQ for all weights that take the same input.
    ///
    /// @param shift of the inputs whose Hessian it is; null for GPTQ
    /// @throws io.any4.checkpoint.InvalidInputException if the Hessian is not finite
    public static Gptq prepare(Hessian hessian, @Nullable InputShift shift, Settings settings, Team team) {
        if (shift != null && shift.channels() != hessian.channels()) {
            throw new IllegalArgumentException(
                    "a shift of %d channels and a Hessian of %d".formatted(shift.channels(), hessian.channels()));
        }
        FeedbackFactor factor = FeedbackFactor.of(hessian, settings.damping(), settings.byActivation(), team);
        return new Gptq(factor, shift == null ? null : ShiftFeedback.of(factor, shift, settings.shiftShare(), team));
    }

    /// The damping that was used: that of the settings, or more.
    public double damping() {
        return factor.damping();
    }

    /// Chooses the codes of a weight anew.
    ///
    /// @param weights the unquantized weight, `[out_features, in_features]`, finite
    /// @param levels the same, quantized to any format
    /// @param listener hears of finished rows; errors count all channels the same
    /// @param arena owner of the new codes; it must allow access from the team's threads
    public Result requantize(Tensor weights, Weight levels, Team team, RowListener listener, Arena arena) {
        RowLoop.requireMatrix(weights, null);
        requireSameShape(weights, levels);
        Recoded output = new Recoded(levels, arena);
        double outputError = FeedbackLoop.run(
                levels.rows(), team, () -> new FeedbackRows(factor, shiftFeedback, weights, levels, output), listener);
        return new Result(output.weight(), outputError);
    }

    private void requireSameShape(Tensor weights, Weight levels) {
        if (weights.rows() != levels.rows()
                || weights.columns() != levels.columns()
                || weights.columns() != factor.order().length) {
            throw new IllegalArgumentException("a weight of shape %s, levels of [%d, %d] and a Hessian of %d channels"
                    .formatted(weights.shape(), levels.rows(), levels.columns(), factor.order().length));
        }
    }
}
