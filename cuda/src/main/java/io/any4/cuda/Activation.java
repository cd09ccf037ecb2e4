package io.any4.cuda;

import io.any4.tensor.DType;

/// The type that activations are rounded to where they meet unquantized weights; sums are 32-bit floats with either.
public enum Activation {
    BF16(DType.BF16),
    F16(DType.F16);

    private final DType dtype;

    Activation(DType dtype) {
        this.dtype = dtype;
    }

    /// The same as a tensor type.
    public DType dtype() {
        return dtype;
    }
}
