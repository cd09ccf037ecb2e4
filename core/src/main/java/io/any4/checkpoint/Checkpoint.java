package io.any4.checkpoint;

import io.any4.tensor.Tensor;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.SequencedSet;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// A Hugging Face model directory: `config.json` and the tensors of `model.safetensors` or of the shards that
/// `model.safetensors.index.json` lists.
///
/// Everything is memory-mapped: opening reads headers only. Tensors are views that end with [#close].
public final class Checkpoint implements AutoCloseable {
    private final Path directory;
    private final SequencedMap<String, SafetensorsFile> files;
    private final SequencedMap<String, SafetensorsFile> owners;

    private Checkpoint(Path directory, SequencedMap<String, SafetensorsFile> files) {
        this.directory = directory;
        this.files = files;
        this.owners = new LinkedHashMap<>();
    }

    /// Opens a model directory and maps all of its safetensors files.
    ///
    /// @throws InvalidInputException if it is no such directory, or if a file is missing or corrupt
    public static Checkpoint open(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new InvalidInputException(
                    Files.exists(directory)
                            ? "%s is a file: name the directory of a model instead".formatted(directory)
                            : "%s does not exist: check the path of the model directory".formatted(directory));
        }
        Checkpoint checkpoint = new Checkpoint(directory, new LinkedHashMap<>());
        try {
            checkpoint.openFiles();
            return checkpoint;
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    private void openFiles() {
        if (Files.exists(directory.resolve(CheckpointLayout.SINGLE_FILE))) {
            SafetensorsFile file = file(CheckpointLayout.SINGLE_FILE);
            file.names().forEach(name -> owners.put(name, file));
            return;
        }
        Path index = directory.resolve(CheckpointLayout.INDEX_FILE);
        if (!Files.exists(index)) {
            throw WeightFiles.noneIn(directory);
        }
        for (Map.Entry<String, String> entry : WeightFiles.weightMap(index).entrySet()) {
            SafetensorsFile file = file(entry.getValue());
            if (!file.names().contains(entry.getKey())) {
                throw new InvalidInputException("%s places tensor %s in %s, which does not hold it: download both again"
                        .formatted(index, entry.getKey(), entry.getValue()));
            }
            owners.put(entry.getKey(), file);
        }
    }

    private SafetensorsFile file(String name) {
        return files.computeIfAbsent(name, key -> {
            Path path = directory.resolve(key);
            if (!Files.exists(path)) {
                throw new InvalidInputException(
                        "shard %s is missing in %s: download it again".formatted(key, directory));
            }
            return SafetensorsFile.open(path);
        });
    }

    public Path directory() {
        return directory;
    }

    /// The safetensors files, in the order in which the index names them.
    public List<Path> files() {
        return files.values().stream().map(SafetensorsFile::path).toList();
    }

    /// Names of all tensors, in the order of the file or of the index.
    public SequencedSet<String> names() {
        return new LinkedHashSet<>(owners.sequencedKeySet());
    }

    /// Whether a tensor of this name exists, of whatever type.
    public boolean contains(String name) {
        return owners.containsKey(name);
    }

    /// A read-only view of a tensor.
    ///
    /// @throws InvalidInputException if there is no such tensor or its type is not supported
    public Tensor tensor(String name) {
        Tensor tensor = find(name);
        if (tensor == null) {
            throw new InvalidInputException(
                    "the model in %s has no tensor %s: it is incomplete or of another architecture"
                            .formatted(directory, name));
        }
        return tensor;
    }

    /// A read-only view of a tensor, or null if there is none of that name.
    ///
    /// @throws InvalidInputException if its type is not supported
    public @Nullable Tensor find(String name) {
        SafetensorsFile file = owners.get(name);
        return file == null ? null : file.tensor(name);
    }

    /// The `__metadata__` of the first file.
    public Map<String, String> metadata() {
        return files.firstEntry().getValue().metadata();
    }

    /// The contents of `config.json`, read anew by every call.
    ///
    /// @throws InvalidInputException if the file is absent or is not a JSON object
    public JsonNode config() {
        Path file = directory.resolve("config.json");
        if (!Files.exists(file)) {
            throw new InvalidInputException(
                    "%s has no config.json, which says what model it is: copy it from the model's source"
                            .formatted(directory));
        }
        return JsonFiles.read(file);
    }

    @Override
    public void close() {
        files.values().forEach(SafetensorsFile::close);
    }
}
