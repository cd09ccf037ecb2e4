package io.any4.checkpoint;

import io.any4.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// The validated header of a safetensors file.
///
/// A file is the header's length (8 bytes, little-endian), the header (JSON: a type, a shape and two offsets per
/// tensor), and the tensors' bytes without gaps (<https://github.com/huggingface/safetensors>).
///
/// @param tensors in the order of the header
/// @param dataStart offset of the first tensor's bytes in the file
record SafetensorsHeader(SequencedMap<String, TensorEntry> tensors, Map<String, String> metadata, long dataStart) {
    static final String METADATA = "__metadata__";

    /// Bytes of the length field before the header.
    static final int LENGTH_BYTES = 8;

    /// The limit of the reference implementation: a longer "header" is not a header.
    static final long MAX_BYTES = 100_000_000;

    /// Reads and checks the header of a mapped file.
    ///
    /// @throws InvalidInputException naming what is corrupt
    static SafetensorsHeader read(Path file, MemorySegment mapped) {
        long length = headerLength(file, mapped);
        byte[] json = mapped.asSlice(LENGTH_BYTES, length).toArray(ValueLayout.JAVA_BYTE);
        ObjectNode root = JsonFiles.parseObject(json, "the header of " + file);
        Map<String, String> metadata = Map.of();
        SequencedMap<String, TensorEntry> tensors = new LinkedHashMap<>();
        HeaderEntries entries = new HeaderEntries(file);
        for (Map.Entry<String, JsonNode> property : root.properties()) {
            if (property.getKey().equals(METADATA)) {
                metadata = entries.metadata(property.getValue());
            } else {
                tensors.put(property.getKey(), entries.tensor(property.getKey(), property.getValue()));
            }
        }
        long dataStart = LENGTH_BYTES + length;
        entries.checkLayout(tensors.values(), mapped.byteSize() - dataStart);
        return new SafetensorsHeader(Collections.unmodifiableSequencedMap(tensors), metadata, dataStart);
    }

    private static long headerLength(Path file, MemorySegment mapped) {
        long size = mapped.byteSize();
        if (size < LENGTH_BYTES) {
            throw new InvalidInputException(
                    "%s is not a safetensors file: it has only %d bytes; download it again".formatted(file, size));
        }
        long length = mapped.get(Tensor.LONG, 0);
        if (length < 0 || length > MAX_BYTES) {
            throw new InvalidInputException(
                    "%s is not a safetensors file: its first 8 bytes announce a header of %s bytes; check what it is"
                            .formatted(file, Long.toUnsignedString(length)));
        }
        if (length > size - LENGTH_BYTES) {
            throw new InvalidInputException(
                    "%s is truncated: its header has %d bytes but the file only %d; download it again"
                            .formatted(file, length, size));
        }
        return length;
    }
}
