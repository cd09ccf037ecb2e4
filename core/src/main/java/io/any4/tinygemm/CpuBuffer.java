package io.any4.tinygemm;

/// Working memory of a [CpuDevice]: floats on the heap.
record CpuBuffer(float[] data) implements Buffer {
    @Override
    public long length() {
        return data.length;
    }

    /// The floats behind a buffer that some CPU device allocated.
    static float[] of(Buffer buffer) {
        if (buffer instanceof CpuBuffer(float[] floats)) {
            return floats;
        }
        throw new IllegalArgumentException("not a buffer of a CPU device: " + buffer.getClass());
    }
}
