package io.any4.calibrate;

import io.any4.quant.Hessian;
import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.DenseWeight;
import io.any4.tinygemm.Device;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/// The sum over tokens of `x_i * x_j` for all pairs of input channels, on and below the diagonal.
///
/// Each batch of tokens is one product `X^T X`, which the device computes like that of any weight: in strips of rows,
/// and of each strip only up to the diagonal. Tokens wait until a batch is full: adding a product to the sums takes as
/// long for a few tokens as for many.
final class MomentSums {
    private static final int STRIP = 256;
    private static final int TILE = 16;
    private static final int LEAST_BATCH = 64;
    private static final int LARGEST_BATCH = 2048;

    private final Device device;
    private final int channels;
    private final int batch;
    private final Tensor sums;
    /// Tokens that are not in the sums yet, one per column; 0 in those that are empty.
    private final Tensor waiting;

    private final float[] row;
    private int filled;
    private long tokens;

    /// @param arena owner of the sums and of waiting tokens, 5 bytes x channels x channels
    MomentSums(Device device, int channels, Arena arena) {
        this.device = device;
        this.channels = channels;
        this.batch = Math.clamp(channels / 4 / TILE * TILE, LEAST_BATCH, LARGEST_BATCH);
        this.sums = Tensor.allocate(arena, DType.F32, channels, channels);
        this.waiting = Tensor.allocate(arena, DType.F32, channels, batch);
        this.row = new float[channels];
    }

    /// Adds the first `count` rows of x, `[count, channels]`.
    void add(float[] x, int count) {
        int from = 0;
        while (from < count) {
            int taken = Math.min(count - from, batch - filled);
            append(x, from, taken);
            from += taken;
            filled += taken;
            if (filled == batch) {
                addWaiting();
            }
        }
        tokens += count;
    }

    /// Transposes rows into the free columns of the batch, tile by tile, so that neither side leaves the cache.
    private void append(float[] x, int from, int count) {
        MemorySegment columns = waiting.data();
        for (int c0 = 0; c0 < channels; c0 += TILE) {
            int c1 = Math.min(channels, c0 + TILE);
            for (int t0 = 0; t0 < count; t0 += TILE) {
                int t1 = Math.min(count, t0 + TILE);
                for (int c = c0; c < c1; c++) {
                    long to = (long) c * batch + filled;
                    for (int t = t0; t < t1; t++) {
                        columns.setAtIndex(Tensor.FLOAT, to + t, x[(from + t) * channels + c]);
                    }
                }
            }
        }
    }

    private void addWaiting() {
        int strip = Math.min(STRIP, channels);
        Buffer rows = device.allocate((long) strip * batch);
        Buffer products = device.allocate((long) strip * channels);
        float[] input = new float[strip * batch];
        float[] output = new float[Math.multiplyExact(strip, channels)];
        for (int from = 0; from < channels; from += strip) {
            int to = Math.min(channels, from + strip);
            waiting.copyTo((long) from * batch, input, 0, (to - from) * batch);
            device.write(input, rows, 0);
            device.matmul(device.prepare(new DenseWeight(waiting.rows(0, to))), rows, to - from, products);
            device.read(products, 0, output, (to - from) * to);
            addStrip(output, from, to);
        }
        waiting.data().fill((byte) 0);
        filled = 0;
    }

    /// @param products `[to - from, to]`
    private void addStrip(float[] products, int from, int to) {
        for (int i = from; i < to; i++) {
            sums.copyTo((long) i * channels, row, 0, i + 1);
            int product = (i - from) * to;
            for (int j = 0; j <= i; j++) {
                row[j] += products[product + j];
            }
            store(i);
        }
    }

    private void store(int i) {
        MemorySegment.copy(row, 0, sums.data(), Tensor.FLOAT, 4L * i * channels, i + 1);
    }

    int channels() {
        return channels;
    }

    long tokens() {
        return tokens;
    }

    /// Turns the sums into means, for good.
    Hessian mean() {
        if (filled > 0) {
            addWaiting();
        }
        float scale = 1f / Math.max(1, tokens);
        for (int i = 0; i < channels; i++) {
            sums.copyTo((long) i * channels, row, 0, i + 1);
            for (int j = 0; j <= i; j++) {
                row[j] *= scale;
            }
            store(i);
        }
        return new Hessian(sums, tokens);
    }
}
