package io.any4.tinygemm;

/// Memory of a [CpuDevice] that keys and values can lie in, whatever the type of its elements.
sealed interface CpuRows extends Buffer permits CpuBuffer, CpuHalfBuffer {
    /// One element, widened.
    float get(int index);

    /// Writes `count` floats to the elements from `at` on, rounded to the nearest that the type has.
    void put(float[] source, int from, int count, int at);

    /// Widens `count` elements, from element `from` on, into `out[at ..]`.
    void widen(int from, int count, float[] out, int at);

    /// What some CPU device allocated.
    static CpuRows of(Buffer buffer) {
        if (buffer instanceof CpuRows rows) {
            return rows;
        }
        throw new IllegalArgumentException("not a buffer of a CPU device: " + buffer.getClass());
    }
}
