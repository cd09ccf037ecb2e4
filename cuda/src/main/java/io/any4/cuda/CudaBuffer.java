package io.any4.cuda;

import io.any4.tensor.DType;
import io.any4.tinygemm.Buffer;

/// 32-bit floats in GPU memory.
final class CudaBuffer implements Buffer {
    private final long address;
    private final long length;

    CudaBuffer(long address, long length) {
        this.address = address;
        this.length = length;
    }

    static CudaBuffer of(Buffer buffer) {
        return (CudaBuffer) buffer;
    }

    long address() {
        return address;
    }

    /// The address of a row, of rows of `width` floats.
    long address(int row, int width) {
        return address + 4L * row * width;
    }

    @Override
    public long length() {
        return length;
    }

    @Override
    public DType dtype() {
        return DType.F32;
    }
}
