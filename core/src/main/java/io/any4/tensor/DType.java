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
    I32("I32", 4),
    I64("I64", 8);

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

    /// Whether elements are real numbers rather than integers or codes.
    public boolean isFloat() {
        return this == F32 || this == F16 || this == BF16;
    }
}
