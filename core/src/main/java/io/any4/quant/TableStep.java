package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Floats;
import java.util.Arrays;

/// Moves the tables of a batch to the least squares of the layer's output error, codes and scales fixed (the table
/// step of GANQ and LNQ).
///
/// With `A[j][k]` the scale of column `j` where its code is `k`, else 0, a change `t` of the table changes a row's
/// error by `2 t (A^T H e) + t (A^T H A) t^T`: normal equations with one unknown per level. They are solved for the
/// change, so that a level without columns stays where it is.
final class TableStep {
    private static final int TILE = 128;
    private static final int BLOCK = 64;
    private static final double RIDGE = 1e-7;

    private final FullHessian hessian;
    private final DType type;
    private final int levels;
    private final float[][] products;
    private final double[][] squares;
    private final double[][] gradients;
    private final float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];
    private final float[] changed;

    /// @param type that tables are stored in
    TableStep(FullHessian hessian, DType type, int levels) {
        this.hessian = hessian;
        this.type = type;
        this.levels = levels;
        products = new float[RowBatch.ROWS][levels * TILE];
        squares = new double[RowBatch.ROWS][levels * levels];
        gradients = new double[RowBatch.ROWS][levels];
        changed = new float[levels];
    }

    void improve(RowBatch batch) {
        gradients(batch);
        squares(batch);
        for (int slot = 0; slot < batch.count(); slot++) {
            improve(batch, slot);
        }
    }

    private void gradients(RowBatch batch) {
        for (double[] gradient : gradients) {
            Arrays.fill(gradient, 0);
        }
        for (int j = 0; j < batch.columns(); j += ColumnSums.COLUMNS) {
            int end = Math.min(batch.columns(), j + ColumnSums.COLUMNS);
            hessian.gradient(batch, j, end, sums);
            for (int slot = 0; slot < batch.count(); slot++) {
                for (int column = j; column < end; column++) {
                    double term = (double) batch.scale(slot, column) * sums[column - j][slot];
                    gradients[slot][batch.codes(slot)[column]] += term;
                }
            }
        }
    }

    /// `A^T H A` of every row, some columns at a time.
    private void squares(RowBatch batch) {
        for (double[] square : squares) {
            Arrays.fill(square, 0);
        }
        for (int tile = 0; tile < batch.columns(); tile += TILE) {
            int width = Math.min(TILE, batch.columns() - tile);
            for (int slot = 0; slot < batch.count(); slot++) {
                Arrays.fill(products[slot], 0f);
            }
            for (int block = 0; block < batch.columns(); block += BLOCK) {
                int end = Math.min(batch.columns(), block + BLOCK);
                for (int slot = 0; slot < batch.count(); slot++) {
                    addBlock(batch, slot, block, end, tile, width);
                }
            }
            for (int slot = 0; slot < batch.count(); slot++) {
                fold(batch, slot, tile, width);
            }
        }
    }

    /// Adds columns `from` to `to` of `A^T` times the tile of the Hessian.
    private void addBlock(RowBatch batch, int slot, int from, int to, int tile, int width) {
        byte[] codes = batch.codes(slot);
        float[] product = products[slot];
        for (int j = from; j < to; j++) {
            addScaled(batch.scale(slot, j), hessian.rows()[j], tile, product, codes[j] * TILE, width);
        }
    }

    private static void addScaled(float factor, float[] from, int at, float[] to, int start, int width) {
        for (int i = 0; i < width; i++) {
            to[start + i] = Math.fma(factor, from[at + i], to[start + i]);
        }
    }

    private void fold(RowBatch batch, int slot, int tile, int width) {
        byte[] codes = batch.codes(slot);
        for (int i = 0; i < width; i++) {
            double scale = batch.scale(slot, tile + i);
            int column = codes[tile + i];
            for (int k = 0; k < levels; k++) {
                squares[slot][k * levels + column] += products[slot][k * TILE + i] * scale;
            }
        }
    }

    private void improve(RowBatch batch, int slot) {
        double[] square = squares[slot];
        double[] gradient = gradients[slot];
        double[] change = solve(square, gradient);
        if (change.length == 0) {
            return;
        }
        float[] table = batch.table(slot);
        for (int k = 0; k < levels; k++) {
            changed[k] = Floats.round((float) (table[k] + change[k]), type);
            change[k] = (double) changed[k] - table[k];
        }
        if (gain(square, gradient, change) < 0) {
            batch.setTable(slot, changed);
        }
    }

    private double gain(double[] square, double[] gradient, double[] change) {
        double gain = 0;
        for (int k = 0; k < levels; k++) {
            double sum = 2 * gradient[k];
            for (int m = 0; m < levels; m++) {
                sum += square[k * levels + m] * change[m];
            }
            gain += change[k] * sum;
        }
        return gain;
    }

    /// The change with `square change = -gradient`; empty if there is none, as for a row of zeros.
    private double[] solve(double[] square, double[] gradient) {
        double[] lower = square.clone();
        double trace = 0;
        for (int k = 0; k < levels; k++) {
            trace += square[k * levels + k];
        }
        for (int k = 0; k < levels; k++) {
            lower[k * levels + k] += RIDGE * trace / levels;
        }
        if (!Cholesky.factor(lower, levels)) {
            return new double[0];
        }
        double[] change = new double[levels];
        Arrays.setAll(change, k -> -gradient[k]);
        Cholesky.solve(lower, levels, change);
        return change;
    }
}
