package io.any4.eval;

/// How far a quantized model's predictions are from those of the original, over all positions of all windows.
///
/// @param kl mean KL(original || quantized) per position, in nats
/// @param top1Agreement share of positions where both models find the same token most likely
/// @param positions positions compared
public record Divergence(double kl, double top1Agreement, long positions) {}
