package io.any4.calibrate;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Rotation;
import io.any4.tinygemm.Team;
import java.lang.foreign.Arena;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What rotating a model does to one of its tensors. A rotation narrower than a side of a matrix is applied to each of
/// the consecutive stretches of that side, such as the heads.
///
/// @param gain of the norm before it, to be multiplied into the columns
/// @param inputs rotations of the space the rows live in, one after the other
/// @param outputs rotation of the space the columns, or a bias, live in
record TensorRotation(
        float @Nullable [] gain,
        List<Rotation> inputs,
        @Nullable Rotation outputs) {
    static final TensorRotation NONE = new TensorRotation(null, List.of(), null);

    /// Columns that are rotated together, so that memory is read in stretches.
    private static final int STRIPE = 16;

    /// The rotated tensor, of the same type and shape, rounded once.
    Tensor apply(Tensor source, Team team, Arena arena) {
        long[] dims = dims(source);
        int rows = Math.toIntExact(source.rows());
        Tensor result = Tensor.allocate(arena, outputs == null ? source.dtype() : DType.F32, dims);
        team.run(rows, 1, (from, to) -> rotateRows(source, result, from, to));
        if (outputs == null) {
            return result;
        }
        int columns = Math.toIntExact(source.columns());
        Rotation rotation = outputs;
        team.run(Math.ceilDiv(columns, STRIPE), 1, (from, to) -> {
            for (int stripe = from; stripe < to; stripe++) {
                rotateColumns(result, rotation, stripe * STRIPE, Math.min(columns, (stripe + 1) * STRIPE));
            }
        });
        return source.dtype() == DType.F32 ? result : rounded(result, source.dtype(), team, arena);
    }

    private void rotateRows(Tensor source, Tensor result, int from, int to) {
        int columns = Math.toIntExact(source.columns());
        float[] values = new float[columns];
        for (int row = from; row < to; row++) {
            source.copyRow(row, values, 0);
            if (gain != null) {
                for (int j = 0; j < columns; j++) {
                    values[j] *= gain[j];
                }
            }
            for (Rotation rotation : inputs) {
                rotation.apply(values, 0, values, 0, columns / rotation.width());
            }
            for (int j = 0; j < columns; j++) {
                result.setFloat((long) row * columns + j, values[j]);
            }
        }
    }

    private static void rotateColumns(Tensor matrix, Rotation rotation, int from, int to) {
        Rotation.Rotator rotator = rotation.rotator();
        int width = rotation.width();
        long columns = matrix.columns();
        float[] stretch = new float[to - from];
        double[][] vectors = new double[to - from][width];
        for (long first = 0; first < matrix.rows(); first += width) {
            for (int i = 0; i < width; i++) {
                matrix.copyTo((first + i) * columns + from, stretch, 0, stretch.length);
                for (int c = 0; c < stretch.length; c++) {
                    vectors[c][i] = stretch[c];
                }
            }
            for (double[] vector : vectors) {
                rotator.rotate(vector);
            }
            for (int i = 0; i < width; i++) {
                for (int c = 0; c < stretch.length; c++) {
                    matrix.setFloat((first + i) * columns + from + c, (float) vectors[c][i]);
                }
            }
        }
    }

    private static long[] dims(Tensor tensor) {
        return tensor.shape().dims().stream().mapToLong(Long::longValue).toArray();
    }

    private static Tensor rounded(Tensor wide, DType dtype, Team team, Arena arena) {
        Tensor narrow = Tensor.allocate(arena, dtype, dims(wide));
        int columns = Math.toIntExact(wide.columns());
        team.run(Math.toIntExact(wide.rows()), 1, (from, to) -> {
            for (long i = (long) from * columns; i < (long) to * columns; i++) {
                narrow.setFloat(i, wide.getFloat(i));
            }
        });
        return narrow;
    }
}
