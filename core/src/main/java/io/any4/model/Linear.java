package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.InputTransform;
import io.any4.tinygemm.Matrix;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// A linear layer `y = W x + b`.
///
/// @param name its module path in the checkpoint
/// @param matrix W, `[out_features, in_features]`, in whatever format the checkpoint has it
/// @param bias b, `[out_features]`, or null
/// @param transforms what is done to x first, in order; usually nothing
public record Linear(String name, Matrix matrix, @Nullable Buffer bias, List<InputTransform> transforms) {
    public Linear {
        transforms = List.copyOf(transforms);
    }

    /// `y[t] = W x[t] + b` for the first `tokens` rows of x.
    void apply(Pass pass, Buffer x, int tokens, Buffer y) {
        Buffer input = transformed(pass, transforms, x, tokens, matrix.columns());
        pass.tap().input(name, input, tokens);
        pass.device().matmul(matrix, input, tokens, y);
        if (bias != null) {
            pass.device().addBias(y, bias, tokens, matrix.rows());
        }
    }

    /// The first `rows` rows of x after some transforms: x itself if there are none, else in a scratch buffer.
    static Buffer transformed(Pass pass, List<InputTransform> transforms, Buffer x, int rows, int width) {
        Buffer input = x;
        for (int i = 0; i < transforms.size(); i++) {
            InputTransform transform = transforms.get(i);
            Buffer out = pass.scratch().transformed(pass.device(), (long) rows * width);
            pass.device().transform(input, transform, rows, out);
            input = out;
        }
        return input;
    }

    /// The same layer with another weight.
    Linear with(Matrix replacement) {
        return new Linear(name, replacement, bias, transforms);
    }
}
