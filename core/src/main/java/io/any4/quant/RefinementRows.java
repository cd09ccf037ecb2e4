package io.any4.quant;

import io.any4.tensor.Tensor;
import io.any4.tinygemm.LutWeight;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// Carries out a round of refinement, a few rows at a time; serves one thread.
final class RefinementRows {
    /// The cost of a scale step grows with the group; beyond this, tables do nearly as well.
    private static final int LARGEST_GROUP = 512;

    private final FullHessian hessian;
    private final @Nullable FullHessian heldOut;
    private final Tensor weights;
    private final RefinementRound round;
    private final int sweeps;
    private final RowBatch batch;
    private final CodeStep codes;
    private final @Nullable TableStep tables;
    private final @Nullable ScaleStep scales;
    private final @Nullable GroupStep groups;
    private final double[] before;
    private final float[] even;

    /// @param sweeps over the codes; 0 only measures
    RefinementRows(
            FullHessian hessian, @Nullable FullHessian heldOut, Tensor weights, RefinementRound round, int sweeps) {
        this.hessian = hessian;
        this.heldOut = heldOut;
        this.weights = weights;
        this.round = round;
        this.sweeps = sweeps;
        LutWeight input = round.input();
        batch = new RowBatch(input);
        codes = new CodeStep(hessian);
        boolean learned = sweeps > 0 && input.lut().rows() == input.rows();
        tables = learned ? new TableStep(hessian, input.lut().dtype(), input.levels()) : null;
        groups =
                sweeps > 0 && GroupStep.suits(input) ? new GroupStep(hessian, input.levels(), input.groupSize()) : null;
        scales = learned && groups == null && input.groupSize() <= LARGEST_GROUP
                ? new ScaleStep(hessian, input.scale().dtype(), input.zero() != null, input.groupSize())
                : null;
        before = new double[input.rows()];
        even = new float[input.columns()];
        Arrays.fill(even, 1f);
    }

    /// Refines rows `from` to `to`, at most [RowBatch#ROWS].
    void refine(int from, int to) {
        batch.load(weights, round.input(), from, to);
        if (sweeps > 0) {
            hessian.errors(batch, before);
            improve();
        }
        hessian.errors(batch, round.errors());
        if (sweeps > 0) {
            undoWhatRoundingMadeWorse(from, to);
        }
        if (heldOut != null) {
            heldOut.errors(batch, round.heldOutErrors());
        }
        for (int slot = 0; slot < to - from; slot++) {
            if (sweeps > 0) {
                batch.store(slot, round.output());
            }
            round.rows()[from + slot] = batch.statistics(slot, even);
        }
    }

    private void improve() {
        if (tables != null) {
            tables.improve(batch);
        }
        if (scales != null) {
            scales.improve(batch);
        }
        if (groups != null) {
            groups.improve(batch);
        }
        for (int sweep = 0; sweep < sweeps; sweep++) {
            codes.improve(batch);
        }
    }

    private void undoWhatRoundingMadeWorse(int from, int to) {
        for (int row = from; row < to; row++) {
            if (!(round.errors()[row] <= before[row])) {
                batch.reload(row - from, round.input());
                round.errors()[row] = before[row];
            }
        }
    }
}
