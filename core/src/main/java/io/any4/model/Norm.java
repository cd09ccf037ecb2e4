package io.any4.model;

import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;

/// Root-mean-square normalisation of rows as wide as the gain (arXiv 1910.07467).
record Norm(Buffer gain, float epsilon) {
    void apply(Device device, Buffer x, int rows, Buffer out) {
        device.rmsNorm(x, gain, epsilon, rows, Math.toIntExact(gain.length()), out);
    }
}
