package io.any4.calibrate;

import io.any4.tensor.Tensor;
import java.util.Comparator;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// What the names of a checkpoint's tensors say: which part of the model they are and where it comes.
final class ModelTensors {
    static final String WEIGHT = ".weight";
    static final String HEAD = "lm_head";

    private static final Pattern BLOCK = Pattern.compile("(?:^|\\.)layers\\.(\\d{1,9})\\.");
    private static final Pattern NUMBER = Pattern.compile("\\d+");

    /// Routers decide which experts see a token; they are tiny, and an error there is not one of rounding.
    private static final Set<String> ROUTERS = Set.of("gate", "router", "shared_expert_gate");

    /// The part a tensor plays.
    enum Role {
        /// The weight of a linear layer in a block.
        LINEAR,
        HEAD,
        EMBEDDING,
        /// Everything that is never quantized.
        OTHER
    }

    /// Model order: embeddings, blocks by number, final norm, and the head at the end; within a block by [#stage].
    static final Comparator<String> ORDER =
            Comparator.comparing(ModelTensors::sortKey).thenComparing(name -> name);

    private ModelTensors() {}

    private static String sortKey(String name) {
        Matcher block = BLOCK.matcher(name);
        String staged = block.find()
                ? name.substring(0, block.end()) + stage(module(name)) + name.substring(block.end())
                : name;
        String padded = NUMBER.matcher(staged)
                .replaceAll(match -> "0".repeat(Math.max(0, 8 - match.group().length())) + match.group());
        return module(name).equals(HEAD) ? "~" + padded : padded;
    }

    static Role role(String name, Tensor tensor) {
        if (!name.endsWith(WEIGHT)
                || tensor.shape().rank() != 2
                || !tensor.dtype().isFloat()
                || tensor.elements() == 0) {
            return Role.OTHER;
        }
        String module = module(name);
        String last = module.substring(module.lastIndexOf('.') + 1);
        if (last.equals("embed_tokens")) {
            return Role.EMBEDDING;
        }
        if (last.equals(HEAD)) {
            return Role.HEAD;
        }
        boolean linear = block(name).isPresent() && !ROUTERS.contains(last) && !last.contains("norm");
        return linear ? Role.LINEAR : Role.OTHER;
    }

    /// The path of the module a tensor belongs to: its name without the last component.
    static String module(String name) {
        int dot = name.lastIndexOf('.');
        return dot < 0 ? name : name.substring(0, dot);
    }

    /// The number of the block a tensor or module is part of, if it is part of one.
    static OptionalInt block(String name) {
        Matcher matcher = BLOCK.matcher(name);
        return matcher.find() ? OptionalInt.of(Integer.parseInt(matcher.group(1))) : OptionalInt.empty();
    }

    /// When in a block a linear layer runs: those of one stage do not depend on each other.
    private static int stage(String module) {
        return switch (module.substring(module.lastIndexOf('.') + 1)) {
            case "q_proj", "k_proj", "v_proj" -> 0;
            case "o_proj" -> 1;
            case "down_proj", "w2" -> 3;
            default -> 2;
        };
    }

    /// The names in model order.
    static List<String> ordered(Set<String> names) {
        return names.stream().sorted(ORDER).toList();
    }
}
