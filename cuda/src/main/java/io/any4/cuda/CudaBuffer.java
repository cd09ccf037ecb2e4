package io.any4.cuda;

import io.any4.tensor.DType;
import io.any4.tinygemm.Buffer;
import java.util.Locale;

/// Floats in GPU memory: of 32 bits, or keys and values of 16.
final class CudaBuffer implements Buffer {
    private final long address;
    private final DType dtype;
    private final long length;

    CudaBuffer(long address, DType dtype, long length) {
        this.address = address;
        this.dtype = dtype;
        this.length = length;
    }

    /// Of 32-bit floats.
    CudaBuffer(long address, long length) {
        this(address, DType.F32, length);
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
        return dtype;
    }

    /// The type as kernels are named after it.
    String type() {
        return dtype.safetensorsName().toLowerCase(Locale.ROOT);
    }

    /// Device address of an element.
    long at(long index) {
        return address + dtype.bytes() * index;
    }
}
