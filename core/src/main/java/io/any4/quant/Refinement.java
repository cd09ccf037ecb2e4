package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentLinkedQueue;
import org.jspecify.annotations.Nullable;

/// Improves a quantized weight by what it does to the layer's output, on the full Hessian: the table by least squares,
/// scales and zeros group by group, then codes by coordinate descent, in rounds (GANQ, arXiv 2501.12956; LNQ of
/// GuidedQuant, arXiv 2505.07004).
///
/// Tables, scales and zeros change only where each row has a table of its own; of other formats, codes do. Whole scales
/// of groups of up to 128 always change, along with the group's codes. The error that the damped Hessian gives never
/// rises, in no row. The error on held-out tokens may: the round that raises it is undone, and was the last. Weights of
/// 8 bits are left as they are.
///
/// Rows are independent, and the result does not depend on the number of threads. Holds both Hessians as arrays,
/// 4 bytes x channels x channels each.
public final class Refinement {
    private static final int CODE_SWEEPS = 2;

    private final FullHessian hessian;
    private final @Nullable FullHessian heldOut;

    private Refinement(FullHessian hessian, @Nullable FullHessian heldOut) {
        this.hessian = hessian;
        this.heldOut = heldOut;
    }

    /// A weight, improved.
    ///
    /// @param weight of the same format and size
    /// @param errors mean over tokens of the squared error of the layer's output, summed over its features, as the
    ///     damped Hessian has it: at the start and after each round that was kept
    /// @param heldOutErrors the same on the held-out tokens, undamped; empty without such
    public record Result(Weight weight, List<Double> errors, List<Double> heldOutErrors) {
        public Result {
            errors = List.copyOf(errors);
            heldOutErrors = List.copyOf(heldOutErrors);
        }
    }

    /// Prepares for all weights that take the same input.
    ///
    /// @param hessian of that input
    /// @param heldOut of the same input, over other tokens: decides when to stop; null to go on to the last round
    /// @param damping what is added to the Hessian's diagonal, relative to its mean
    public static Refinement prepare(Hessian hessian, @Nullable Hessian heldOut, double damping) {
        return new Refinement(FullHessian.of(hessian, damping), heldOut == null ? null : FullHessian.of(heldOut, 0));
    }

    /// Improves a weight.
    ///
    /// @param weights the unquantized weight, `[out_features, in_features]`, finite
    /// @param start the same, quantized to any format
    /// @param rounds at most
    /// @param listener hears of the rows of the result; errors count all channels the same
    /// @param arena owner of the new weight; it must allow access from the team's threads
    public Result refine(Tensor weights, Weight start, int rounds, Team team, RowListener listener, Arena arena) {
        requireSameShape(weights, start);
        if (!(start instanceof LutWeight levels)) {
            return new Result(start, List.of(), List.of());
        }
        RefinementRound best = measured(weights, levels, team);
        List<Double> errors = new ArrayList<>(List.of(best.error()));
        List<Double> heldOutErrors = new ArrayList<>();
        if (heldOut != null) {
            heldOutErrors.add(best.heldOutError());
        }
        for (int round = 0; round < rounds; round++) {
            RefinementRound next = RefinementRound.of(best.output(), arena);
            run(next, weights, CODE_SWEEPS, team);
            if (next.error() >= best.error() || heldOut != null && next.heldOutError() >= best.heldOutError()) {
                break;
            }
            best = next;
            errors.add(best.error());
            if (heldOut != null) {
                heldOutErrors.add(best.heldOutError());
            }
        }
        listener.progress(levels.rows(), levels.rows(), best.statistics());
        return new Result(best.output(), errors, heldOutErrors);
    }

    private RefinementRound measured(Tensor weights, LutWeight levels, Team team) {
        RefinementRound start = RefinementRound.unchanged(levels);
        run(start, weights, 0, team);
        return start;
    }

    private void run(RefinementRound round, Tensor weights, int sweeps, Team team) {
        ConcurrentLinkedQueue<RefinementRows> idle = new ConcurrentLinkedQueue<>();
        team.run(round.output().rows(), RowBatch.ROWS, (from, to) -> {
            RefinementRows reused = idle.poll();
            RefinementRows rows =
                    reused == null ? new RefinementRows(hessian, heldOut, weights, round, sweeps) : reused;
            for (int row = from; row < to; row += RowBatch.ROWS) {
                rows.refine(row, Math.min(to, row + RowBatch.ROWS));
            }
            idle.add(rows);
        });
    }

    private void requireSameShape(Tensor weights, Weight start) {
        RowLoop.requireMatrix(weights, null);
        if (weights.rows() != start.rows()
                || weights.columns() != start.columns()
                || weights.columns() != hessian.channels()
                || heldOut != null && heldOut.channels() != hessian.channels()) {
            throw new IllegalArgumentException("a weight of shape %s, levels of [%d, %d] and a Hessian of %d channels"
                    .formatted(weights.shape(), start.rows(), start.columns(), hessian.channels()));
        }
    }
}
