package io.any4.tinygemm;

/// The geometry of grouped-query attention.
///
/// @param heads query heads
/// @param kvHeads key and value heads; `heads / kvHeads` query heads share one
/// @param headDim elements per head
/// @param window positions a query sees, itself included (sliding-window attention), or 0 for all
public record AttentionShape(int heads, int kvHeads, int headDim, int window) {
    public AttentionShape {
        if (heads <= 0 || kvHeads <= 0 || headDim <= 0 || window < 0 || heads % kvHeads != 0) {
            throw new IllegalArgumentException(
                    "no such attention: %d heads, %d key-value heads, head size %d, window %d"
                            .formatted(heads, kvHeads, headDim, window));
        }
    }

    /// Floats of one token's keys, or of its values.
    public int kvWidth() {
        return kvHeads * headDim;
    }

    /// Floats of one token's queries, or of its attention output.
    public int queryWidth() {
        return heads * headDim;
    }

    /// The first position the query at `position` sees.
    public int firstVisible(int position) {
        return window == 0 ? 0 : Math.max(0, position - window + 1);
    }
}
