package io.any4.tensor;

import java.util.Arrays;
import java.util.Optional;
import java.util.stream.Collectors;

/// The element types a tensor can have, with the names the safetensors format gives them.
public enum DType {
    F32("F32", 4),
    F16("F16", 2),
    BF16("BF16", 2),
    /// A power of two, `2^(byte - 127)`: the shared exponent of OCP microscaling formats.
    E8M0("F8_E8M0", 1),
    U8("U8", 1),
    I8("I8", 1),
    I16("I16", 2),
    I32("I32", 4),
    I64("I64", 8),
    /// For reference data; no model weight has this type.
    F64("F64", 8);

    private final String safetensorsName;
    private final int bytes;

    DType(String safetensorsName, int bytes) {
        this.safetensorsName = safetensorsName;
        this.bytes = bytes;
    }

    /// The name in a safetensors header.
    public String safetensorsName() {
        return safetensorsName;
    }

    /// The type with this name in a safetensors header, if it is one of ours.
    public static Optional<DType> named(String safetensorsName) {
        return Arrays.stream(values())
                .filter(type -> type.safetensorsName.equals(safetensorsName))
                .findFirst();
    }

    /// The supported safetensors names, for error messages.
    public static String supportedNames() {
        return Arrays.stream(values()).map(DType::safetensorsName).collect(Collectors.joining(", "));
    }

    /// Bytes per element.
    public int bytes() {
        return bytes;
    }

    /// Whether unquantized weights can have this type.
    public boolean isFloat() {
        return this == F32 || this == F16 || this == BF16;
    }
}
