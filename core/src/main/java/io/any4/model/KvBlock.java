package io.any4.model;

import io.any4.quant.Quantizer;
import io.any4.quant.RowListener;
import io.any4.tensor.Tensor;
import io.any4.tinygemm.Team;
import io.any4.tinygemm.Weight;

/// The quantized keys and values of [KvFormat.Quantized#BLOCK] positions.
///
/// @param keys `[kvHeads * headDim, BLOCK]`: a row is a channel
/// @param values `[BLOCK * kvHeads, headDim]`: a row is a head at one position
record KvBlock(Weight keys, Weight values) {
    /// @param keys `[BLOCK, width]`, as are `values`
    static KvBlock quantize(KvFormat.Quantized format, float[] keys, float[] values, int width, int headDim) {
        float[] channels = new float[keys.length];
        for (int t = 0; t < KvFormat.Quantized.BLOCK; t++) {
            for (int c = 0; c < width; c++) {
                channels[c * KvFormat.Quantized.BLOCK + t] = keys[t * width + c];
            }
        }
        Quantizer quantizer = format.spec().quantizer();
        try (Team team = new Team(1)) {
            return new KvBlock(
                    quantizer.quantize(
                            Tensor.ofFloats(channels, width, KvFormat.Quantized.BLOCK), null, team, RowListener.NONE),
                    quantizer.quantize(
                            Tensor.ofFloats(values, values.length / headDim, headDim), null, team, RowListener.NONE));
        }
    }

    /// Writes both to `[BLOCK, width]`.
    ///
    /// @param channel room for `BLOCK` floats
    void dequantize(float[] keysOut, float[] valuesOut, float[] channel) {
        int width = keys.rows();
        for (int c = 0; c < width; c++) {
            keys.dequantizeRow(c, channel, 0);
            for (int t = 0; t < KvFormat.Quantized.BLOCK; t++) {
                keysOut[t * width + c] = channel[t];
            }
        }
        for (int row = 0; row < values.rows(); row++) {
            values.dequantizeRow(row, valuesOut, row * values.columns());
        }
    }

    long bytes() {
        return keys.bytes() + values.bytes();
    }
}
