package io.any4.model;

import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import io.any4.tensor.DType;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/// How a [KvCache] holds keys and values.
public sealed interface KvFormat {
    /// As they are computed.
    KvFormat F32 = new Dense(DType.F32);

    /// Rounded to half the size when they are appended. F16 is eight times as precise as BF16, and keys and values are
    /// small numbers in every model of the supported architectures.
    KvFormat F16 = new Dense(DType.F16);

    /// Floats.
    ///
    /// @param dtype F32, F16 or BF16
    record Dense(DType dtype) implements KvFormat {
        public Dense {
            if (!dtype.isFloat()) {
                throw new IllegalArgumentException("a cache cannot hold " + dtype);
            }
        }
    }

    /// Any format that weights can have.
    ///
    /// Positions are quantized in blocks of [#BLOCK], once the block after them begins: keys per channel, over the
    /// positions of the block, for a few channels of all keys are large; values per position and head (KIVI, arXiv
    /// 2402.02750). The newest block stays as it is. A learned format learns one table for the keys and one for the
    /// values of each block, from the block itself, so that no calibration is needed.
    ///
    /// @param spec of a block; its group is a whole row and its table that of a whole matrix
    record Quantized(QuantizationSpec spec) implements KvFormat {
        /// Positions that are quantized together.
        public static final int BLOCK = 64;

        private static final List<Method> METHODS = List.of(
                Method.INT8, Method.INT4, Method.INT3, Method.INT2, Method.NF4, Method.ANY4, Method.ANY3, Method.ANY2);

        private static Quantized of(Method method) {
            QuantizationSpec spec = QuantizationSpec.of(method).with("group-size", "row");
            boolean learned = method.family() == Method.Family.LEARNED_TABLE;
            return new Quantized(learned ? spec.with("table", "matrix") : spec);
        }
    }

    /// The format of this name: `f32`, `f16`, `bf16`, `int8`, `int4`, `nf4`, `any4` and so on.
    ///
    /// @throws InvalidInputException if it is not one that a cache can have
    static KvFormat parse(String name) {
        Map<String, KvFormat> dense = Map.of("f32", F32, "f16", F16, "bf16", new Dense(DType.BF16));
        KvFormat format = dense.get(name);
        if (format != null) {
            return format;
        }
        return Quantized.METHODS.stream()
                .filter(method -> method.id().equals(name))
                .findFirst()
                .map(Quantized::of)
                .orElseThrow(() -> new InvalidInputException(
                        "a cache cannot have the format %s: use one of %s".formatted(name, names())));
    }

    private static List<String> names() {
        List<String> names = new ArrayList<>(List.of("f32", "f16", "bf16"));
        Quantized.METHODS.forEach(method -> names.add(method.id()));
        return names;
    }
}
