package io.any4.model;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/// The model families that [Decoder] runs; what distinguishes them is spelled out in [ModelConfig], not here.
public enum Architecture {
    /// Llama 2, 3, 3.1 and 3.2.
    LLAMA("llama", "LlamaForCausalLM"),
    /// Mistral: attention may slide over a window.
    MISTRAL("mistral", "MistralForCausalLM"),
    /// Mixtral: the feed-forward network is a sparse mixture of experts.
    MIXTRAL("mixtral", "MixtralForCausalLM"),
    /// Qwen2 and Qwen2.5: query, key and value projections have biases.
    QWEN2("qwen2", "Qwen2ForCausalLM"),
    /// Qwen3: queries and keys are normalised per head.
    QWEN3("qwen3", "Qwen3ForCausalLM");

    private final String modelType;
    private final String className;

    Architecture(String modelType, String className) {
        this.modelType = modelType;
        this.className = className;
    }

    /// The entry of `architectures` in config.json.
    public String className() {
        return className;
    }

    /// The family with this `architectures` entry or, in its absence, this `model_type`.
    static Optional<Architecture> of(String name) {
        return Arrays.stream(values())
                .filter(a -> a.className.equals(name) || a.modelType.equals(name))
                .findFirst();
    }

    /// All supported class names, for messages.
    static String supported() {
        return Arrays.stream(values()).map(Architecture::className).collect(Collectors.joining(", "));
    }
}
