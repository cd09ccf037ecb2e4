package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Matrix;
import org.jspecify.annotations.Nullable;

/// A linear layer `y = W x + b`.
///
/// @param name its module path in the checkpoint
/// @param matrix W, `[out_features, in_features]`, in whatever format the checkpoint has it
/// @param bias b, `[out_features]`, or null
public record Linear(String name, Matrix matrix, @Nullable Buffer bias) {
    /// `y[t] = W x[t] + b` for the first `tokens` rows of x.
    void apply(Pass pass, Buffer x, int tokens, Buffer y) {
        pass.tap().input(name, x, tokens);
        pass.device().matmul(matrix, x, tokens, y);
        if (bias != null) {
            pass.device().addBias(y, bias, tokens, matrix.rows());
        }
    }

    /// The same layer with another weight.
    Linear with(Matrix replacement) {
        return new Linear(name, replacement, bias);
    }
}
