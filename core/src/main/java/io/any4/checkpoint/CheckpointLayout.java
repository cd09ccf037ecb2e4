package io.any4.checkpoint;

import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.node.ObjectNode;

/// The files that hold a set of tensors, to the byte, before any of the contents exist.
///
/// Knowing every place in advance lets [CheckpointWriter] take tensors in any order, lets an interrupted run go on,
/// and makes the size that a dry run prints exact.
public final class CheckpointLayout {
    /// The file of a checkpoint that is not cut into shards.
    public static final String SINGLE_FILE = "model.safetensors";

    /// The file that says which shard holds which tensor.
    public static final String INDEX_FILE = "model.safetensors.index.json";

    /// The size at which the Hugging Face libraries cut shards by default: 5 GB of tensor bytes.
    public static final long DEFAULT_SHARD_BYTES = 5_000_000_000L;

    private final SequencedMap<String, SafetensorsLayout> files;
    private final SequencedMap<String, String> fileOf;
    private final byte @Nullable [] index;

    private CheckpointLayout(
            SequencedMap<String, SafetensorsLayout> files,
            SequencedMap<String, String> fileOf,
            byte @Nullable [] index) {
        this.files = files;
        this.fileOf = fileOf;
        this.index = index;
    }

    /// Distributes tensors over shards in the given order. A shard ends before the tensor that would take it over the
    /// limit; a tensor larger than the limit has a shard of its own.
    ///
    /// @param maxShardBytes limit for the tensor bytes of one shard
    /// @param metadata texts for `__metadata__` of every shard, possibly none
    public static CheckpointLayout plan(List<TensorSpec> tensors, long maxShardBytes, Map<String, String> metadata) {
        if (maxShardBytes <= 0) {
            throw new IllegalArgumentException("the shard size must be positive, not " + maxShardBytes);
        }
        List<List<TensorSpec>> shards = cut(tensors, maxShardBytes);
        SequencedMap<String, SafetensorsLayout> files = new LinkedHashMap<>();
        SequencedMap<String, String> fileOf = new LinkedHashMap<>();
        for (int i = 0; i < shards.size(); i++) {
            String file =
                    shards.size() == 1 ? SINGLE_FILE : "model-%05d-of-%05d.safetensors".formatted(i + 1, shards.size());
            files.put(file, new SafetensorsLayout(shards.get(i), metadata));
            for (TensorSpec spec : shards.get(i)) {
                if (fileOf.putIfAbsent(spec.name(), file) != null) {
                    throw new IllegalArgumentException("two tensors are named " + spec.name());
                }
            }
        }
        return new CheckpointLayout(files, fileOf, shards.size() == 1 ? null : index(tensors, fileOf));
    }

    private static List<List<TensorSpec>> cut(List<TensorSpec> tensors, long maxShardBytes) {
        List<List<TensorSpec>> shards = new ArrayList<>();
        List<TensorSpec> shard = new ArrayList<>();
        long bytes = 0;
        for (TensorSpec spec : tensors) {
            if (!shard.isEmpty() && bytes + spec.bytes() > maxShardBytes) {
                shards.add(shard);
                shard = new ArrayList<>();
                bytes = 0;
            }
            shard.add(spec);
            bytes += spec.bytes();
        }
        shards.add(shard);
        return shards;
    }

    private static byte[] index(List<TensorSpec> tensors, Map<String, String> fileOf) {
        ObjectNode root = JsonFiles.object();
        long total = tensors.stream().mapToLong(TensorSpec::bytes).sum();
        root.putObject("metadata").put("total_size", total);
        ObjectNode map = root.putObject("weight_map");
        new TreeMap<>(fileOf).forEach(map::put);
        return JsonFiles.pretty(root);
    }

    /// Layout of each safetensors file by its name.
    SequencedMap<String, SafetensorsLayout> files() {
        return Collections.unmodifiableSequencedMap(files);
    }

    /// The file that holds a tensor.
    String fileOf(String tensor) {
        String file = fileOf.get(tensor);
        if (file == null) {
            throw new IllegalArgumentException("tensor " + tensor + " is not part of the checkpoint");
        }
        return file;
    }

    /// Contents of the index, or null if one file holds everything.
    byte @Nullable [] index() {
        return index;
    }

    /// Size of all files together, headers and index included.
    public long bytes() {
        long bytes = index == null ? 0 : index.length;
        for (SafetensorsLayout file : files.values()) {
            bytes += file.fileBytes();
        }
        return bytes;
    }
}
