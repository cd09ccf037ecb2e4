package io.any4.checkpoint;

import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;

/// A tensor that is going to be written: everything but its contents.
public record TensorSpec(String name, DType dtype, Shape shape) {
    public TensorSpec {
        if (name.equals(SafetensorsHeader.METADATA)) {
            throw new IllegalArgumentException(name + " is a reserved key, not the name of a tensor");
        }
    }

    /// The specification of an existing tensor.
    public static TensorSpec of(String name, Tensor tensor) {
        return new TensorSpec(name, tensor.dtype(), tensor.shape());
    }

    /// Bytes of the contents.
    public long bytes() {
        return Math.multiplyExact(shape.elements(), dtype.bytes());
    }
}
