package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;

/// GPTQ (arXiv 2210.17323) for formats with whole scales, group by group: the scale of a group is chosen when its turn
/// comes, together with its codes, so that it too makes up for the output error that the groups before it left.
///
/// Tables stay. With groups of a few weights, a scale says as much about a weight as its code does, and [Gptq],
/// which keeps scales, would waste that. Rows are independent and their arithmetic is the same in any company, so the
/// result does not depend on the number of threads.
public final class GroupGptq {
    /// Beyond this, what is lost by not taking channels one by one in the order of their activations is more.
    private static final int LARGEST_GROUP = 16;

    private final FeedbackFactor factor;
    private final int groupSize;

    private GroupGptq(FeedbackFactor factor, int groupSize) {
        this.factor = factor;
        this.groupSize = groupSize;
    }

    /// A weight with its codes and scales chosen anew.
    ///
    /// @param weight with the tables of the one it was made from
    /// @param outputError mean over tokens of the squared error of the layer's output, summed over its features,
    ///     as the damped Hessian has it
    public record Result(LutWeight weight, double outputError) {}

    /// Prepares for all weights that take the same input and have groups of that size.
    ///
    /// @param damping what is added to the Hessian's diagonal, relative to its mean; more if it takes
    ///     more to factor it
    /// @throws io.any4.checkpoint.InvalidInputException if the Hessian is not finite
    public static GroupGptq prepare(Hessian hessian, int groupSize, double damping, Team team) {
        return new GroupGptq(FeedbackFactor.of(hessian, damping, true, groupSize, team), groupSize);
    }

    /// Whether a weight is of the kind this is for: one with whole scales of groups of up to 16.
    public static boolean suits(Weight weight) {
        return weight instanceof LutWeight lut
                && lut.hasWholeScales()
                && Math.min(lut.groupSize(), lut.columns()) <= LARGEST_GROUP;
    }

    /// Whether this was prepared for weights with groups of that size.
    public boolean isFor(int size) {
        return groupSize == size;
    }

    /// Chooses codes and scales of a weight anew.
    ///
    /// @param weights the unquantized weight, `[out_features, in_features]`, finite
    /// @param start the same, quantized to a format that [#suits]
    /// @param listener hears of finished rows; errors count all channels the same
    /// @param arena owner of the new codes and scales; it must allow access from the team's threads
    public Result requantize(Tensor weights, LutWeight start, Team team, RowListener listener, Arena arena) {
        requireSuitable(weights, start);
        LutWeight output = new LutWeight(
                start.bits(),
                start.columns(),
                start.groupSize(),
                like(start.codes(), arena),
                start.lut(),
                like(start.scale(), arena),
                null);
        double outputError = FeedbackLoop.run(
                start.rows(), team, () -> new GroupFeedbackRows(factor, weights, start, output), listener);
        return new Result(output, outputError);
    }

    private static Tensor like(Tensor tensor, Arena arena) {
        return Tensor.allocate(arena, tensor.dtype(), tensor.rows(), tensor.columns());
    }

    private void requireSuitable(Tensor weights, LutWeight start) {
        RowLoop.requireMatrix(weights, null);
        if (weights.rows() != start.rows()
                || weights.columns() != start.columns()
                || weights.columns() != factor.order().length
                || groupSize != start.groupSize()
                || !suits(start)) {
            throw new IllegalArgumentException(
                    "a weight of shape %s, levels of [%d, %d] in groups of %d with %s scales, and a Hessian of %d channels for groups of %d"
                            .formatted(
                                    weights.shape(),
                                    start.rows(),
                                    start.columns(),
                                    start.groupSize(),
                                    start.scale().dtype(),
                                    factor.order().length,
                                    groupSize));
        }
    }
}
