package io.any4.tinygemm;

/// Rounds a layer's input to a narrow float format, which simulates exactly what hardware with such activations would
/// compute, but for the order of its sums.
///
///     x[j] -> round(x[j] * scale[j]) / scale[j]
///
/// With scales that differ by powers of two these are the pre-shifted exponent biases of LLM-FP4 (arXiv
/// 2310.16836, section 3.3): hardware would apply one scale to all channels and shift the exponents of the
/// weights instead, with the very same products.
///
/// @param format of the activations
/// @param scales per channel: what brings it onto the format's grid; not to be modified
public record FloatActivations(FpFormat format, float[] scales) implements InputTransform {
    public FloatActivations {
        for (float scale : scales) {
            if (!(scale > 0) || Float.isInfinite(scale)) {
                throw new IllegalArgumentException("the scale of a channel must be positive, not " + scale);
            }
        }
    }

    @Override
    public int width() {
        return scales.length;
    }

    @Override
    public void apply(float[] x, int from, float[] out, int to, int rows) {
        int width = scales.length;
        for (int r = 0; r < rows; r++) {
            int offset = r * width;
            for (int j = 0; j < width; j++) {
                out[to + offset + j] = x[from + offset + j] * scales[j];
            }
            format.round(out, to + offset, to + offset + width);
            for (int j = 0; j < width; j++) {
                out[to + offset + j] /= scales[j];
            }
        }
    }

    @Override
    public String toString() {
        return "%s activations of %d channels".formatted(format, scales.length);
    }
}
