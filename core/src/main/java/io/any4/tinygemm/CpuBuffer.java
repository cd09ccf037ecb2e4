package io.any4.tinygemm;

import io.any4.tensor.DType;

/// Working memory of a [CpuDevice]: floats on the heap.
record CpuBuffer(float[] data) implements CpuRows {
    @Override
    public long length() {
        return data.length;
    }

    @Override
    public DType dtype() {
        return DType.F32;
    }

    @Override
    public float get(int index) {
        return data[index];
    }

    @Override
    public void put(float[] source, int from, int count, int at) {
        System.arraycopy(source, from, data, at, count);
    }

    @Override
    public void widen(int from, int count, float[] out, int at) {
        System.arraycopy(data, from, out, at, count);
    }

    /// The floats behind a buffer of 32-bit floats that some CPU device allocated.
    static float[] of(Buffer buffer) {
        if (buffer instanceof CpuBuffer(float[] floats)) {
            return floats;
        }
        throw new IllegalArgumentException("not a buffer of 32-bit floats of a CPU device: " + buffer.getClass());
    }
}
