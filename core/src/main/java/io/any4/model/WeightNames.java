package io.any4.model;

/// Where a checkpoint keeps the weights of each part, as Hugging Face module paths without the trailing `.weight`.
///
/// Only the feed-forward network is named differently across the supported architectures.
///
/// @param router what scores the experts, below the block
/// @param expert the prefix of expert `%d`, below the block
/// @param gate the gate projection, below the block or the expert
/// @param up the up projection
/// @param down the down projection
public record WeightNames(String router, String expert, String gate, String up, String down) {
    public static final String EMBEDDING = "model.embed_tokens";
    public static final String FINAL_NORM = "model.norm";
    public static final String HEAD = "lm_head";

    private static final WeightNames DENSE = new WeightNames("", "", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj");
    private static final WeightNames SPARSE =
            new WeightNames("block_sparse_moe.gate", "block_sparse_moe.experts.%d", "w1", "w3", "w2");

    /// The names that an architecture's checkpoints use.
    public static WeightNames of(Architecture architecture) {
        return switch (architecture) {
            case LLAMA, MISTRAL, QWEN2, QWEN3 -> DENSE;
            case MIXTRAL -> SPARSE;
        };
    }

    /// The module path of a part of one block.
    static String inBlock(int block, String part) {
        return "model.layers.%d.%s".formatted(block, part);
    }
}
