package io.any4.tinygemm;

/// The operands of one attention operation; see [Device#attention] for their shapes.
record Attention(
        float[] q, CpuRows keys, CpuRows values, AttentionShape shape, int tokens, int firstPosition, float[] out) {
    /// Independent units of work: one token and one key-value head each, with all query heads that share the latter.
    int units() {
        return tokens * shape.kvHeads();
    }

    /// Query heads per key-value head.
    int share() {
        return shape.heads() / shape.kvHeads();
    }

    float scale() {
        return (float) (1 / Math.sqrt(shape.headDim()));
    }
}
