package io.any4.checkpoint;

import io.any4.tensor.DType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import tools.jackson.databind.node.ArrayNode;
import tools.jackson.databind.node.ObjectNode;

/// Where everything goes in a safetensors file that is about to be written; known before any tensor's contents are.
///
/// Tensors are ordered as the reference implementation does, wide types first, then by name, so that every tensor is
/// aligned although the format forbids gaps; the header is padded with spaces to a multiple of 8 bytes.
final class SafetensorsLayout {
    private static final int ALIGNMENT = 8;

    /// The order of types in a file, widest first.
    private static final List<DType> TYPE_ORDER = List.of(
            DType.I64,
            DType.F64,
            DType.F32,
            DType.I32,
            DType.BF16,
            DType.F16,
            DType.I16,
            DType.E8M0,
            DType.I8,
            DType.U8);

    private record Placed(TensorSpec spec, long begin) {
        long end() {
            return Math.addExact(begin, spec.bytes());
        }
    }

    private final SequencedMap<String, Placed> tensors = new LinkedHashMap<>();
    private final byte[] header;
    private final long fileBytes;

    SafetensorsLayout(Collection<TensorSpec> specs, Map<String, String> metadata) {
        specs.stream()
                .sorted(Comparator.comparing((TensorSpec spec) -> TYPE_ORDER.indexOf(spec.dtype()))
                        .thenComparing(TensorSpec::name))
                .forEach(this::append);
        this.header = header(metadata);
        this.fileBytes = Math.addExact(header.length, dataEnd());
    }

    private void append(TensorSpec spec) {
        if (tensors.putIfAbsent(spec.name(), new Placed(spec, dataEnd())) != null) {
            throw new IllegalArgumentException("two tensors are named " + spec.name());
        }
    }

    private long dataEnd() {
        return tensors.isEmpty() ? 0 : tensors.lastEntry().getValue().end();
    }

    private byte[] header(Map<String, String> metadata) {
        ObjectNode root = JsonFiles.object();
        if (!metadata.isEmpty()) {
            ObjectNode node = root.putObject(SafetensorsHeader.METADATA);
            new TreeMap<>(metadata).forEach(node::put); // sorted: a map's own order may change from run to run
        }
        tensors.forEach((name, placed) -> describe(placed, root.putObject(name)));
        byte[] json = JsonFiles.compact(root);
        int padded = Math.ceilDiv(json.length, ALIGNMENT) * ALIGNMENT;
        if (padded > SafetensorsHeader.MAX_BYTES) {
            throw new IllegalArgumentException("a safetensors header cannot have " + padded + " bytes");
        }
        ByteBuffer buffer = ByteBuffer.allocate(SafetensorsHeader.LENGTH_BYTES + padded);
        buffer.order(ByteOrder.LITTLE_ENDIAN).putLong(padded).put(json);
        Arrays.fill(buffer.array(), buffer.position(), buffer.capacity(), (byte) ' ');
        return buffer.array();
    }

    private static void describe(Placed tensor, ObjectNode entry) {
        entry.put("dtype", tensor.spec().dtype().safetensorsName());
        ArrayNode shape = entry.putArray("shape");
        tensor.spec().shape().dims().forEach(shape::add);
        entry.putArray("data_offsets").add(tensor.begin()).add(tensor.end());
    }

    /// The first bytes of the file: length field and padded header.
    byte[] header() {
        return header.clone();
    }

    /// What is going to be written under `name`.
    TensorSpec spec(String name) {
        return placed(name).spec();
    }

    /// Offset of a tensor's bytes in the file.
    long position(String name) {
        return header.length + placed(name).begin();
    }

    private Placed placed(String name) {
        Placed placed = tensors.get(name);
        if (placed == null) {
            throw new IllegalArgumentException("no tensor " + name + " belongs in this file");
        }
        return placed;
    }

    /// Size of the whole file.
    long fileBytes() {
        return fileBytes;
    }
}
