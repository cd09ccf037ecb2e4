package io.any4.tinygemm;

import io.any4.tensor.Tensor;
import java.lang.foreign.Arena;

/// Keeps all weights in native or mapped memory: kernels that only ever see one kind of memory compile to better code.
final class OffHeap {
    private OffHeap() {}

    /// The tensor itself, or a native copy of one that lies in a heap array.
    static Tensor view(Tensor tensor) {
        if (tensor.data().isNative()) {
            return tensor;
        }
        long[] dims = tensor.shape().dims().stream().mapToLong(Long::longValue).toArray();
        Tensor copy = Tensor.allocate(Arena.ofAuto(), tensor.dtype(), dims);
        copy.data().copyFrom(tensor.data());
        return copy;
    }
}
