package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;

/// The second moments of a linear layer's inputs: `moments[i][j] = mean over tokens of x_i * x_j`.
///
/// Up to a factor this is the Hessian of the layer's squared output error with respect to a row of its weight: a
/// row that is off by `e` is off by `e H e^T` in the output, on average.
///
/// @param moments F32 `[channels, channels]`, symmetric; only the part on and below the diagonal is read
/// @param tokens tokens the means were taken over
public record Hessian(Tensor moments, long tokens) {
    public Hessian {
        if (moments.dtype() != DType.F32
                || moments.shape().rank() != 2
                || moments.rows() != moments.columns()
                || moments.rows() == 0) {
            throw new IllegalArgumentException(
                    "a Hessian is a square F32 matrix, not %s %s".formatted(moments.dtype(), moments.shape()));
        }
    }

    /// Input features.
    public int channels() {
        return Math.toIntExact(moments.rows());
    }

    /// The mean square of each channel.
    public double[] diagonal() {
        double[] diagonal = new double[channels()];
        for (int j = 0; j < diagonal.length; j++) {
            diagonal[j] = moments.getFloat((long) j * diagonal.length + j);
        }
        return diagonal;
    }
}
