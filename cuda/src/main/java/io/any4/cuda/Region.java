package io.any4.cuda;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// Numbers that are collected on the host and sent to one place of device memory, if that does not hold them yet.
final class Region {
    private final Gpu gpu;
    private final long address;
    private final int[] values;
    private final int[] sent;
    private int count;
    /// How many numbers of `sent` the device holds.
    private int held;
    private int newest;

    /// @param capacity 32-bit numbers
    Region(Gpu gpu, int capacity) {
        this.gpu = gpu;
        address = gpu.allocate(4L * capacity);
        values = new int[capacity];
        sent = new int[capacity];
    }

    /// Device address of the first number.
    long begin() {
        return address;
    }

    /// Device address of the number that is added next.
    long end() {
        return address + 4L * count;
    }

    /// Numbers added since they were last sent.
    int count() {
        return count;
    }

    void add(int value) {
        values[count++] = value;
    }

    void add(int[] numbers) {
        System.arraycopy(numbers, 0, values, count, numbers.length);
        count += numbers.length;
    }

    /// Makes the device hold what was added, and starts afresh.
    void send() {
        if (count > held || !Arrays.equals(values, 0, count, sent, 0, count)) {
            gpu.upload(MemorySegment.ofArray(values).asSlice(0, count * 4L), address);
            System.arraycopy(values, 0, sent, 0, count);
            held = count;
        }
        newest = count;
        count = 0;
    }

    /// A launch raises the numbers of the last [#send] by as much.
    void raise(int by) {
        for (int i = 0; i < newest; i++) {
            sent[i] += by;
        }
    }
}
