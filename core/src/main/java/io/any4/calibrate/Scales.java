package io.any4.calibrate;

import io.any4.quant.Awq;
import io.any4.quant.Hessian;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/// What AWQ does to the channels of one input.
///
/// @param factors of the columns of the weights that read it; null for 1
/// @param hessian of the input as it was; null if nothing is known of it
record Scales(float @Nullable [] factors, @Nullable Hessian hessian) {
    static final Scales NONE = new Scales(null, null);

    /// These, with what is known of the input if nothing was.
    Scales orWith(@Nullable Hessian known) {
        return hessian == null ? new Scales(factors, known) : this;
    }

    /// A weight with its columns multiplied, as F32.
    Tensor columns(Tensor weight, Arena arena) {
        float[] ones = factors;
        if (ones == null) {
            ones = new float[Math.toIntExact(weight.columns())];
            Arrays.fill(ones, 1);
        }
        return Awq.scaled(weight, ones, arena);
    }

    /// The Hessian of the input once it is divided.
    Hessian scaledHessian(Hessian original, Arena arena) {
        float[] scales = factors;
        if (scales == null) {
            return original;
        }
        int n = scales.length;
        Tensor moments = Tensor.allocate(arena, DType.F32, n, n);
        for (int i = 0; i < n; i++) {
            for (int j = 0; j <= i; j++) {
                long at = (long) i * n + j;
                moments.setFloat(at, original.moments().getFloat(at) / (scales[i] * scales[j]));
            }
        }
        return new Hessian(moments, original.tokens());
    }

    /// A matrix with each row divided, rounded to a type.
    ///
    /// @param rows the divisors, or null for 1
    static Tensor dividedRows(Tensor matrix, float @Nullable [] rows, DType dtype, Arena arena) {
        int columns = Math.toIntExact(matrix.columns());
        Tensor divided = Tensor.allocate(arena, dtype, matrix.rows(), columns);
        float[] row = new float[columns];
        for (int i = 0; i < matrix.rows(); i++) {
            matrix.copyRow(i, row, 0);
            for (int j = 0; j < columns; j++) {
                divided.setFloat((long) i * columns + j, rows == null ? row[j] : row[j] / rows[i]);
            }
        }
        return divided;
    }
}
