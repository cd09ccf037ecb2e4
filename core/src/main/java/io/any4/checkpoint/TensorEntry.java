package io.any4.checkpoint;

import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/// What the header of a safetensors file says about one tensor.
///
/// @param dtype as written: a type that any4j does not know is an error only when the tensor is asked for
/// @param begin first byte, counted from the end of the header
/// @param end byte after the last one
record TensorEntry(String name, String dtype, Shape shape, long begin, long end) {
    /// A view of the tensor in the mapped file.
    Tensor tensor(Path file, MemorySegment mapped, long dataStart) {
        DType type = DType.named(dtype)
                .orElseThrow(() -> new InvalidInputException(
                        "tensor %s in %s has type %s, which is not supported: convert it to one of %s"
                                .formatted(name, file, dtype, DType.supportedNames())));
        return new Tensor(type, shape, mapped.asSlice(dataStart + begin, end - begin));
    }
}
