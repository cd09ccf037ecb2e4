package io.any4.checkpoint;

import io.any4.tensor.DType;
import io.any4.tensor.Shape;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import tools.jackson.databind.JsonNode;

/// Reads the entries of a safetensors header; every complaint names the file and the tensor.
final class HeaderEntries {
    private final Path file;

    HeaderEntries(Path file) {
        this.file = file;
    }

    Map<String, String> metadata(JsonNode node) {
        Map<String, String> metadata = new TreeMap<>();
        if (!node.isObject()) {
            throw corrupt("%s is not an object", SafetensorsHeader.METADATA);
        }
        for (Map.Entry<String, JsonNode> property : node.properties()) {
            if (!property.getValue().isString()) {
                throw corrupt("%s.%s is not a text", SafetensorsHeader.METADATA, property.getKey());
            }
            metadata.put(property.getKey(), property.getValue().stringValue());
        }
        return metadata;
    }

    TensorEntry tensor(String name, JsonNode node) {
        JsonNode dtype = node.path("dtype");
        if (!dtype.isString()) {
            throw corrupt("tensor %s has no dtype", name);
        }
        List<Long> dims = integers(name, "shape", node);
        List<Long> offsets = integers(name, "data_offsets", node);
        if (offsets.size() != 2 || offsets.get(0) > offsets.get(1)) {
            throw corrupt("tensor %s has the data_offsets %s, expected a begin and an end", name, offsets);
        }
        TensorEntry entry = new TensorEntry(name, dtype.stringValue(), new Shape(dims), offsets.get(0), offsets.get(1));
        checkSize(entry);
        return entry;
    }

    private List<Long> integers(String name, String key, JsonNode node) {
        JsonNode array = node.path(key);
        if (!array.isArray()) {
            throw corrupt("tensor %s has no %s", name, key);
        }
        List<Long> values = new ArrayList<>();
        for (JsonNode value : array) {
            if (!value.isIntegralNumber() || !value.canConvertToLong() || value.longValue() < 0) {
                throw corrupt("tensor %s has %s in its %s, expected whole numbers from 0 on", name, value, key);
            }
            values.add(value.longValue());
        }
        return values;
    }

    private void checkSize(TensorEntry entry) {
        Optional<DType> dtype = DType.named(entry.dtype());
        if (dtype.isEmpty()) {
            return; // of unknown size; asking for this tensor will say so
        }
        long stored = entry.end() - entry.begin();
        long expected;
        try {
            expected = Math.multiplyExact(entry.shape().elements(), dtype.get().bytes());
        } catch (ArithmeticException e) {
            throw corrupt("the shape %s of tensor %s is absurd", entry.shape(), entry.name());
        }
        if (stored != expected) {
            throw corrupt(
                    "tensor %s of type %s and shape %s needs %d bytes but has %d",
                    entry.name(), entry.dtype(), entry.shape(), expected, stored);
        }
    }

    /// Checks that the tensors fill the `dataBytes` bytes after the header, side by side and without gaps.
    void checkLayout(Collection<TensorEntry> tensors, long dataBytes) {
        List<TensorEntry> ordered = new ArrayList<>(tensors);
        ordered.sort(Comparator.comparingLong(TensorEntry::begin).thenComparingLong(TensorEntry::end));
        long end = 0;
        String previous = "";
        for (TensorEntry entry : ordered) {
            if (entry.end() > dataBytes) {
                throw new InvalidInputException(
                        "%s is truncated: tensor %s ends at data byte %d but the file has only %d; download it again"
                                .formatted(file, entry.name(), entry.end(), dataBytes));
            }
            if (entry.begin() < end) {
                throw corrupt("the tensors %s and %s overlap", previous, entry.name());
            }
            if (entry.begin() > end) {
                throw corrupt("there is a hole of %d bytes before tensor %s", entry.begin() - end, entry.name());
            }
            end = entry.end();
            previous = entry.name();
        }
        if (end < dataBytes) {
            throw corrupt("%d bytes after the last tensor belong to none", dataBytes - end);
        }
    }

    private InvalidInputException corrupt(String format, Object... arguments) {
        return new InvalidInputException(
                "%s is corrupt: %s; download it again or write it anew".formatted(file, format.formatted(arguments)));
    }
}
