package io.any4.tinygemm;

/// The operands of one attention operation; see [Device#attention] for their shapes.
///
/// A device keeps one object and fills it for every operation, so that none makes another.
final class Attention {
    private static final float[] NO_FLOATS = {};
    private static final CpuRows NO_ROWS = new CpuBuffer(NO_FLOATS);

    private float[] q = NO_FLOATS;
    private CpuRows keys = NO_ROWS;
    private CpuRows values = NO_ROWS;
    private AttentionShape shape = new AttentionShape(1, 1, 1, 0);
    private int row;
    private int tokens;
    private int position;
    private float[] out = NO_FLOATS;

    /// What is attended to.
    Attention over(CpuRows keys, CpuRows values, AttentionShape shape) {
        this.keys = keys;
        this.values = values;
        this.shape = shape;
        return this;
    }

    /// Who attends.
    Attention of(float[] q, Span span, int position, float[] out) {
        this.q = q;
        this.row = span.row();
        this.tokens = span.tokens();
        this.position = position;
        this.out = out;
        return this;
    }

    float[] q() {
        return q;
    }

    CpuRows keys() {
        return keys;
    }

    CpuRows values() {
        return values;
    }

    AttentionShape shape() {
        return shape;
    }

    float[] out() {
        return out;
    }

    int tokens() {
        return tokens;
    }

    int firstPosition() {
        return position;
    }

    /// Where a head of the span's token `token` is in q, and in out.
    int query(int token, int head) {
        return (row + token) * shape.queryWidth() + head * shape.headDim();
    }

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
