package io.any4.model;

import io.any4.tinygemm.AttentionShape;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What distinguishes one decoder from another: sizes, and which of the variations of a transformer block it uses.
///
/// Everything comes from the config.json of a checkpoint, see [#parse].
///
/// @param architecture the family, which fixes the names of the weights
/// @param vocabSize rows of the embedding and of the output projection
/// @param hiddenSize width of the residual stream
/// @param intermediateSize width inside a feed-forward network or an expert
/// @param heads query heads
/// @param kvHeads key and value heads (grouped-query attention, arXiv 2305.13245)
/// @param headDim elements per head; `heads * headDim` need not equal `hiddenSize`
/// @param windows one entry per block: positions a query sees (sliding window, arXiv 2310.06825), 0 for all
/// @param contextLength positions the model was made for
/// @param normEpsilon epsilon of every root-mean-square norm
/// @param rope rotary position embedding
/// @param qkvBias whether query, key and value projections have a bias
/// @param outputBias whether the attention's output projection has one
/// @param mlpBias whether the feed-forward projections have one
/// @param headNorm whether queries and keys are normalised per head, before rotation
/// @param experts the mixture of experts, or null for one dense feed-forward network per block
/// @param tiedEmbeddings whether the output projection is the embedding
/// @param bosId beginning-of-sequence id, or -1
/// @param eosIds ids that end a generation; may be empty
public record ModelConfig(
        Architecture architecture,
        int vocabSize,
        int hiddenSize,
        int intermediateSize,
        int heads,
        int kvHeads,
        int headDim,
        List<Integer> windows,
        int contextLength,
        float normEpsilon,
        Rope rope,
        boolean qkvBias,
        boolean outputBias,
        boolean mlpBias,
        boolean headNorm,
        @Nullable Experts experts,
        boolean tiedEmbeddings,
        int bosId,
        List<Integer> eosIds) {
    /// A sparse mixture of experts (arXiv 2401.04088, section 2.1).
    ///
    /// @param count experts per block
    /// @param perToken experts that each token is sent to
    public record Experts(int count, int perToken) {}

    public ModelConfig {
        windows = List.copyOf(windows);
        eosIds = List.copyOf(eosIds);
    }

    /// Reads a config.json as transformers 4 or transformers 5 writes it.
    ///
    /// @throws io.any4.checkpoint.InvalidInputException if the model is not supported
    public static ModelConfig parse(JsonNode json) {
        return new ConfigParser(json).parse();
    }

    /// Blocks of the model.
    public int layers() {
        return windows.size();
    }

    /// Geometry of the attention in one block.
    public AttentionShape attention(int layer) {
        return new AttentionShape(heads, kvHeads, headDim, windows.get(layer));
    }

    /// The same model with another position embedding.
    public ModelConfig withRope(Rope other) {
        return new ModelConfig(
                architecture,
                vocabSize,
                hiddenSize,
                intermediateSize,
                heads,
                kvHeads,
                headDim,
                windows,
                contextLength,
                normEpsilon,
                other,
                qkvBias,
                outputBias,
                mlpBias,
                headNorm,
                experts,
                tiedEmbeddings,
                bosId,
                eosIds);
    }

    /// The names of the weights.
    public WeightNames names() {
        return WeightNames.of(architecture);
    }
}
