package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Floats;
import java.util.Arrays;

/// Moves the scales of a batch, and its zeros, group after group to the least squares of the layer's output error,
/// table and codes fixed.
final class ScaleStep {
    private static final float LARGEST_BYTE = 127f;

    private final FullHessian hessian;
    private final DType type;
    private final boolean zeros;
    private final float[] levels;
    private final float[][] sums = new float[ColumnSums.COLUMNS][ColumnSums.ROWS];
    private final float[] products = new float[RowBatch.ROWS];
    private final double[] scaleGradient = new double[RowBatch.ROWS];
    private final double[] zeroGradient = new double[RowBatch.ROWS];
    private final double[] scaleSquare = new double[RowBatch.ROWS];
    private final double[] mixed = new double[RowBatch.ROWS];
    private double zeroSquare;

    /// @param type that scales and zeros are stored in; I8 for whole numbers
    /// @param zeros whether there are any
    ScaleStep(FullHessian hessian, DType type, boolean zeros, int groupSize) {
        this.hessian = hessian;
        this.type = type;
        this.zeros = zeros;
        levels = new float[Math.min(groupSize, hessian.channels()) * RowBatch.ROWS];
    }

    void improve(RowBatch batch) {
        for (int group = 0; group < batch.groups(); group++) {
            gradients(batch, group);
            squares(batch, group);
            for (int slot = 0; slot < batch.count(); slot++) {
                improve(batch, slot, group);
            }
        }
    }

    private void gradients(RowBatch batch, int group) {
        Arrays.fill(scaleGradient, 0);
        Arrays.fill(zeroGradient, 0);
        int to = batch.groupEnd(group);
        for (int j = batch.groupStart(group); j < to; j += ColumnSums.COLUMNS) {
            int end = Math.min(to, j + ColumnSums.COLUMNS);
            hessian.gradient(batch, j, end, sums);
            for (int column = j; column < end; column++) {
                for (int slot = 0; slot < batch.count(); slot++) {
                    double gradient = sums[column - j][slot];
                    scaleGradient[slot] += batch.level(slot, column) * gradient;
                    zeroGradient[slot] += gradient;
                }
            }
        }
    }

    private void squares(RowBatch batch, int group) {
        int from = batch.groupStart(group);
        int width = batch.groupEnd(group) - from;
        for (int j = 0; j < width; j++) {
            for (int slot = 0; slot < batch.count(); slot++) {
                levels[j * RowBatch.ROWS + slot] = batch.level(slot, from + j);
            }
        }
        Arrays.fill(scaleSquare, 0);
        Arrays.fill(mixed, 0);
        zeroSquare = 0;
        for (int j = 0; j < width; j++) {
            float[] row = hessian.rows()[from + j];
            Arrays.fill(products, 0f);
            for (int m = 0; m < width; m++) {
                ColumnSums.add(row[from + m], levels, m, products);
                zeroSquare += row[from + m];
            }
            for (int slot = 0; slot < batch.count(); slot++) {
                scaleSquare[slot] += (double) levels[j * RowBatch.ROWS + slot] * products[slot];
                mixed[slot] += products[slot];
            }
        }
    }

    private void improve(RowBatch batch, int slot, int group) {
        double determinant = scaleSquare[slot] * zeroSquare - mixed[slot] * mixed[slot];
        boolean both = zeros && determinant > 1e-6 * scaleSquare[slot] * zeroSquare;
        double scaleChange;
        double zeroChange = 0;
        if (both) {
            scaleChange = (mixed[slot] * zeroGradient[slot] - zeroSquare * scaleGradient[slot]) / determinant;
            zeroChange = (mixed[slot] * scaleGradient[slot] - scaleSquare[slot] * zeroGradient[slot]) / determinant;
        } else {
            scaleChange = -scaleGradient[slot] / scaleSquare[slot];
        }
        float scale = batch.groupScale(slot, group);
        float zero = batch.groupZero(slot, group);
        float newScale = rounded(scale + scaleChange);
        float newZero = both ? Floats.round((float) (zero + zeroChange), type) : zero;
        if (gain(slot, (double) newScale - scale, (double) newZero - zero) < 0) {
            batch.setGroup(slot, group, newScale, newZero);
        }
    }

    private float rounded(double scale) {
        return type == DType.I8
                ? (float) Math.rint(Math.clamp(scale, -LARGEST_BYTE, LARGEST_BYTE))
                : Floats.round((float) scale, type);
    }

    private double gain(int slot, double scale, double zero) {
        return 2 * (scale * scaleGradient[slot] + zero * zeroGradient[slot])
                + scaleSquare[slot] * scale * scale
                + 2 * mixed[slot] * scale * zero
                + zeroSquare * zero * zero;
    }
}
