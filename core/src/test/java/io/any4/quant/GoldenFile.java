package io.any4.quant;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.tensor.DType;
import io.any4.tensor.Tensor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.ObjectMapper;

/// A safetensors file of reference results, read whole; it also reads the 16-bit integers that checkpoints never have.
final class GoldenFile {
    private final ByteBuffer data;
    private final JsonNode header;
    private final int start;

    private GoldenFile(byte[] bytes) {
        data = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int length = Math.toIntExact(data.getLong(0));
        header = new ObjectMapper().readTree(new String(bytes, 8, length, StandardCharsets.UTF_8));
        start = 8 + length;
    }

    static GoldenFile open(String name) {
        return new GoldenFile(read(name + ".safetensors"));
    }

    /// The cases the reference was run on, with its errors.
    static JsonNode cases() {
        return new ObjectMapper()
                .readTree(new String(read("manifest.json"), StandardCharsets.UTF_8))
                .path("cases");
    }

    private static byte[] read(String file) {
        String shared = System.getProperty("any4.shared");
        assertThat(shared)
                .as("the system property any4.shared, which names the reference data: run with -Pshared")
                .isNotBlank();
        try {
            return Files.readAllBytes(Path.of(shared, "golden", file));
        } catch (IOException e) {
            throw new UncheckedIOException("the reference data is incomplete", e);
        }
    }

    List<String> names() {
        return header.propertyNames().stream()
                .filter(n -> !n.equals("__metadata__"))
                .toList();
    }

    boolean has(String name) {
        return header.has(name);
    }

    int dim(String name, int index) {
        return header.path(name).path("shape").get(index).asInt();
    }

    /// A tensor's numbers, flat.
    float[] floats(String name) {
        JsonNode entry = header.path(name);
        assertThat(entry.isObject()).as("%s is in the reference data", name).isTrue();
        int at = start + entry.path("data_offsets").get(0).asInt();
        int bytes = start + entry.path("data_offsets").get(1).asInt() - at;
        String type = entry.path("dtype").asString();
        int width = switch (type) {
            case "F32" -> 4;
            case "F16", "BF16", "I16" -> 2;
            default -> 1;
        };
        float[] values = new float[bytes / width];
        for (int i = 0; i < values.length; i++) {
            values[i] = number(type, at + i * width);
        }
        return values;
    }

    private float number(String type, int at) {
        return switch (type) {
            case "F32" -> data.getFloat(at);
            case "F16" -> Float.float16ToFloat(data.getShort(at));
            case "BF16" -> Float.intBitsToFloat(data.getShort(at) << 16);
            case "I16" -> data.getShort(at);
            case "I8" -> data.get(at);
            case "U8" -> data.get(at) & 0xff;
            default -> throw new IllegalArgumentException(type);
        };
    }

    /// A matrix, with its rows cut or joined to that many columns.
    Tensor matrix(String name, int columns) {
        float[] values = floats(name);
        return Tensor.ofFloats(DType.F32, values, values.length / columns, columns);
    }
}
