package io.any4.tinygemm;

/// The operands of one attention operation; see [Device#attention] for their shapes.
record Attention(float[] q, CpuRows keys, CpuRows values, AttentionShape shape, Span span, float[] out) {
    int tokens() {
        return span.tokens();
    }

    int firstPosition() {
        return span.position();
    }

    /// Where a head of the span's token `token` is in q, and in out.
    int query(int token, int head) {
        return (span.row() + token) * shape.queryWidth() + head * shape.headDim();
    }

    /// Independent units of work: one token and one key-value head each, with all query heads that share the latter.
    int units() {
        return span.tokens() * shape.kvHeads();
    }

    /// Query heads per key-value head.
    int share() {
        return shape.heads() / shape.kvHeads();
    }

    float scale() {
        return (float) (1 / Math.sqrt(shape.headDim()));
    }
}
