package io.any4.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.stream.Stream;
import tools.jackson.databind.JsonNode;

/// Finds the files that hold a model's tensors.
final class WeightFiles {
    private WeightFiles() {}

    /// The `weight_map` of an index: shard file by tensor name.
    static SequencedMap<String, String> weightMap(Path index) {
        JsonNode map = JsonFiles.read(index).path("weight_map");
        if (!map.isObject() || map.isEmpty()) {
            throw new InvalidInputException("%s has no weight_map: download it again".formatted(index));
        }
        SequencedMap<String, String> shards = new LinkedHashMap<>();
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
            JsonNode shard = entry.getValue();
            if (!shard.isString() || !isPlainName(shard.stringValue())) {
                throw new InvalidInputException("%s places tensor %s in %s, which is not the name of a file beside it"
                        .formatted(index, entry.getKey(), shard));
            }
            shards.put(entry.getKey(), shard.stringValue());
        }
        return shards;
    }

    /// An index may not lead out of its directory.
    private static boolean isPlainName(String name) {
        return !name.isEmpty() && !name.contains("/") && !name.contains("\\") && !name.equals("..");
    }

    /// The complaint about a directory without `model.safetensors`, fitted to what is there instead.
    static InvalidInputException noneIn(Path directory) {
        List<String> other = filesEndingWith(directory, ".safetensors");
        if (!other.isEmpty()) {
            return new InvalidInputException(
                    "%s holds %s but neither model.safetensors nor model.safetensors.index.json: rename the file or add the index"
                            .formatted(directory, String.join(", ", other)));
        }
        List<String> pickles = filesEndingWith(directory, ".bin", ".pt", ".pth", ".ckpt");
        if (!pickles.isEmpty()) {
            return new InvalidInputException(
                    "%s holds only pickle files (%s), which are not read because they can run code: convert them with save_pretrained(safe_serialization=True)"
                            .formatted(directory, String.join(", ", pickles)));
        }
        return new InvalidInputException(
                "%s holds no model.safetensors: name the directory of a Hugging Face model".formatted(directory));
    }

    private static List<String> filesEndingWith(Path directory, String... endings) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(path -> path.getFileName().toString())
                    .filter(name -> Stream.of(endings).anyMatch(name::endsWith))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw InvalidInputException.reading(directory, e);
        }
    }
}
