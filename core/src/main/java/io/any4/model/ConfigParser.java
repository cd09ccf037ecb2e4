package io.any4.model;

import io.any4.checkpoint.InvalidInputException;
import io.any4.tensor.DType;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// Reads [ModelConfig] from config.json in the dialects of transformers 4 and 5.
///
/// A key that is absent and a key that is null mean the same: the default of the model family.
final class ConfigParser {
    private final JsonNode json;

    ConfigParser(JsonNode json) {
        this.json = json;
    }

    ModelConfig parse() {
        Architecture architecture = architecture();
        requireSilu();
        int hidden = positive("hidden_size");
        int heads = positive("num_attention_heads");
        int kvHeads = integer("num_key_value_heads", heads);
        int headDim = integer("head_dim", hidden / heads);
        check(kvHeads > 0 && heads % kvHeads == 0, "num_attention_heads is not a multiple of num_key_value_heads");
        check(headDim > 0 && headDim % 2 == 0, "head_dim must be even and positive, not " + headDim);
        boolean attentionBias = flag("attention_bias");
        boolean qwen2 = architecture == Architecture.QWEN2;
        return new ModelConfig(
                architecture,
                positive("vocab_size"),
                hidden,
                positive("intermediate_size"),
                heads,
                kvHeads,
                headDim,
                windows(architecture, positive("num_hidden_layers")),
                integer("max_position_embeddings", 2048),
                (float) number(json, "rms_norm_eps", 1e-6),
                rope(),
                qwen2 || attentionBias,
                !qwen2 && attentionBias,
                flag("mlp_bias"),
                architecture == Architecture.QWEN3,
                architecture == Architecture.MIXTRAL ? experts() : null,
                flag("tie_word_embeddings"),
                integer("bos_token_id", -1),
                ids("eos_token_id"));
    }

    private Architecture architecture() {
        JsonNode named = json.path("architectures").path(0);
        String name =
                named.isString() ? named.stringValue() : json.path("model_type").asString("");
        if (name.isEmpty()) {
            throw new InvalidInputException(
                    "config.json names no architecture: is this the directory of a language model?");
        }
        return Architecture.of(name)
                .orElseThrow(() -> new InvalidInputException("the architecture %s is not supported: use a model of %s"
                        .formatted(name, Architecture.supported())));
    }

    private void requireSilu() {
        String activation = json.path("hidden_act").asString("silu");
        check(
                activation.equals("silu") || activation.equals("swish"),
                "the activation %s (hidden_act) is not supported: only silu is".formatted(activation));
    }

    /// Sliding windows per block: every block for Mistral and Mixtral; for Qwen only those that `layer_types`, or in
    /// older files `max_window_layers`, selects, and only if `use_sliding_window` is set.
    private List<Integer> windows(Architecture architecture, int layers) {
        int window = integer("sliding_window", 0);
        return switch (architecture) {
            case LLAMA -> Collections.nCopies(layers, 0);
            case MISTRAL, MIXTRAL -> Collections.nCopies(layers, window);
            case QWEN2, QWEN3 ->
                flag("use_sliding_window") ? selectedWindows(layers, window) : Collections.nCopies(layers, 0);
        };
    }

    private List<Integer> selectedWindows(int layers, int window) {
        JsonNode types = json.path("layer_types");
        int firstSliding = integer("max_window_layers", 28);
        List<Integer> windows = new ArrayList<>(layers);
        for (int layer = 0; layer < layers; layer++) {
            boolean slides = types.isArray()
                    ? types.path(layer).asString("").equals("sliding_attention")
                    : layer >= firstSliding;
            windows.add(slides ? window : 0);
        }
        return windows;
    }

    private Rope rope() {
        JsonNode newer = json.path("rope_parameters");
        JsonNode older = json.path("rope_scaling");
        JsonNode scaling = newer.isObject() ? newer : older;
        double theta = number(newer, "rope_theta", number(json, "rope_theta", 10_000));
        String type = scaling.path("rope_type").asString(scaling.path("type").asString("default"));
        double rotated = number(newer, "partial_rotary_factor", number(json, "partial_rotary_factor", 1));
        check(rotated == 1, "rotating a part of each head (partial_rotary_factor) is not supported");
        return switch (type) {
            case "default" -> Rope.plain(theta);
            case "linear" -> new Rope(Rope.Type.LINEAR, theta, required(scaling, "factor"), 1, 1, 0, DType.F32);
            case "llama3" ->
                new Rope(
                        Rope.Type.LLAMA3,
                        theta,
                        required(scaling, "factor"),
                        required(scaling, "low_freq_factor"),
                        required(scaling, "high_freq_factor"),
                        (int) required(scaling, "original_max_position_embeddings"),
                        DType.F32);
            default ->
                throw new InvalidInputException(
                        "the rope type %s is not supported: only default, linear and llama3 are".formatted(type));
        };
    }

    private ModelConfig.Experts experts() {
        int count = integer("num_local_experts", integer("num_experts", 0));
        int perToken = integer("num_experts_per_tok", 2);
        check(
                count > 0 && perToken > 0 && perToken <= count,
                "%d experts with %d per token (num_local_experts, num_experts_per_tok) make no sense"
                        .formatted(count, perToken));
        return new ModelConfig.Experts(count, perToken);
    }

    private List<Integer> ids(String key) {
        JsonNode node = json.path(key);
        if (node.isInt()) {
            return List.of(node.intValue());
        }
        List<Integer> ids = new ArrayList<>();
        for (JsonNode id : node) {
            ids.add(id.asInt());
        }
        return ids;
    }

    private boolean flag(String key) {
        return json.path(key).asBoolean(false);
    }

    private int positive(String key) {
        int value = integer(key, 0);
        check(value > 0, "%s is missing or not a positive number".formatted(key));
        return value;
    }

    private int integer(String key, int otherwise) {
        @Nullable JsonNode node = json.get(key);
        if (node == null || node.isNull()) {
            return otherwise;
        }
        check(node.isInt(), "%s is not a whole number: %s".formatted(key, node));
        return node.intValue();
    }

    private double required(JsonNode parent, String key) {
        check(parent.path(key).isNumber(), "the rope scaling has no " + key);
        return parent.path(key).doubleValue();
    }

    private static double number(JsonNode parent, String key, double otherwise) {
        JsonNode node = parent.path(key);
        return node.isNumber() ? node.doubleValue() : otherwise;
    }

    private static void check(boolean condition, String problem) {
        if (!condition) {
            throw new InvalidInputException("config.json: " + problem);
        }
    }
}
