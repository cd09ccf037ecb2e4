package io.any4.quant;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;

/// How the inputs of a linear layer moved when the layers before it were quantized: `products[i][j] = mean over tokens
/// of (original_i - x_i) * x_j`, `x` being what the layer sees now and what its [Hessian] was taken from.
///
/// @param products F32 `[channels, channels]`
public record InputShift(Tensor products) {
    public InputShift {
        if (products.dtype() != DType.F32
                || products.shape().rank() != 2
                || products.rows() != products.columns()
                || products.rows() == 0) {
            throw new IllegalArgumentException(
                    "an input shift is a square F32 matrix, not %s %s".formatted(products.dtype(), products.shape()));
        }
    }

    /// Input features.
    public int channels() {
        return Math.toIntExact(products.rows());
    }
}
