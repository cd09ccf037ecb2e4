package io.any4.eval;

/// What quantization did to one linear layer.
///
/// @param model name of the quantized model, as in [ComparisonRow#name]
/// @param block index of the decoder block
/// @param projection name of the layer within its block, such as `mlp.down_proj`
/// @param relativeError squared error of the weights relative to their squared size
public record LayerError(String model, int block, String projection, double relativeError) {}
