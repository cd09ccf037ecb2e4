package io.any4.model;

import io.any4.checkpoint.InvalidInputException;
import io.any4.quant.Method;
import io.any4.quant.QuantizationSpec;
import java.util.List;

/// How a [KvCache] holds keys and values: in any format that weights can have.
///
/// Positions are quantized in blocks of [#BLOCK], once the block after them begins: keys per channel, over the
/// positions of the block, for a few channels of all keys are large; values per position and head (KIVI, arXiv
/// 2402.02750). The newest block stays as it is. A learned format learns one table for the keys and one for the values
/// of each block,
/// from the block itself, so that no calibration is needed.
///
/// @param spec of a block; its group is a whole row and its table that of a whole matrix
public record KvFormat(QuantizationSpec spec) {
    /// Positions that are quantized together.
    public static final int BLOCK = 64;

    private static final List<Method> METHODS = List.of(
            Method.INT8, Method.INT4, Method.INT3, Method.INT2, Method.NF4, Method.ANY4, Method.ANY3, Method.ANY2);

    /// The format of this name: `int8`, `int4`, `nf4`, `any4` and so on.
    ///
    /// @throws InvalidInputException if it is not one that a cache can have
    public static KvFormat parse(String name) {
        Method method = METHODS.stream()
                .filter(m -> m.id().equals(name))
                .findFirst()
                .orElseThrow(() -> new InvalidInputException("a cache cannot have the format %s: use one of %s"
                        .formatted(name, METHODS.stream().map(Method::id).toList())));
        QuantizationSpec spec = QuantizationSpec.of(method).with("group-size", "row");
        return new KvFormat(method.family() == Method.Family.LEARNED_TABLE ? spec.with("table", "matrix") : spec);
    }
}
