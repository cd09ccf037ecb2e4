package io.any4.model;

/// Tokens that continue a sequence, to be run beside those of others.
///
/// @param ids the new tokens
/// @param cache what came before them; each sequence has its own
public record Segment(int[] ids, KvCache cache) {}
