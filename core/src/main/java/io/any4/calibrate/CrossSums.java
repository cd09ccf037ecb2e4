package io.any4.calibrate;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/// The sum over tokens of `x_i * y_j` for all pairs of channels of two inputs.
///
/// Each batch of tokens is one product `X^T Y`, which the device computes like that of any weight, in strips of rows.
final class CrossSums {
    private static final int STRIP = 256;

    private final Device device;
    private final int channels;
    private final Tensor sums;
    private final float[] row;
    private long tokens;

    /// @param arena owner of the sums, 4 bytes x channels x channels
    CrossSums(Device device, int channels, Arena arena) {
        this.device = device;
        this.channels = channels;
        this.sums = Tensor.allocate(arena, DType.F32, channels, channels);
        this.row = new float[channels];
    }

    /// Adds rows of x and y, `[count, channels]`.
    void add(float[] x, float[] y, int count) {
        float[] left = transposed(x, count);
        float[] right = transposed(y, count);
        try (Arena arena = Arena.ofShared()) {
            Tensor all = Tensor.allocate(arena, DType.F32, channels, count);
            MemorySegment.copy(right, 0, all.data(), Tensor.FLOAT, 0, right.length);
            int strip = Math.min(STRIP, channels);
            Buffer rows = device.allocate((long) strip * count);
            Buffer products = device.allocate((long) strip * channels);
            float[] host = new float[Math.multiplyExact(strip, channels)];
            for (int from = 0; from < channels; from += strip) {
                int to = Math.min(channels, from + strip);
                device.write(Arrays.copyOfRange(left, from * count, to * count), rows, 0);
                device.matmul(device.prepare(new DenseWeight(all)), rows, to - from, products);
                device.read(products, 0, host, (to - from) * channels);
                addStrip(host, from, to);
            }
        }
        tokens += count;
    }

    private float[] transposed(float[] x, int count) {
        float[] out = new float[Math.multiplyExact(channels, count)];
        for (int t = 0; t < count; t++) {
            for (int c = 0; c < channels; c++) {
                out[c * count + t] = x[t * channels + c];
            }
        }
        return out;
    }

    /// @param products `[to - from, channels]`
    private void addStrip(float[] products, int from, int to) {
        for (int i = from; i < to; i++) {
            sums.copyTo((long) i * channels, row, 0, channels);
            int product = (i - from) * channels;
            for (int j = 0; j < channels; j++) {
                row[j] += products[product + j];
            }
            store(i);
        }
    }

    private void store(int i) {
        MemorySegment.copy(row, 0, sums.data(), Tensor.FLOAT, 4L * i * channels, channels);
    }

    /// Turns the sums into means, for good: F32 `[channels, channels]`.
    Tensor mean() {
        float scale = 1f / Math.max(1, tokens);
        for (int i = 0; i < channels; i++) {
            sums.copyTo((long) i * channels, row, 0, channels);
            for (int j = 0; j < channels; j++) {
                row[j] *= scale;
            }
            store(i);
        }
        return sums;
    }
}
