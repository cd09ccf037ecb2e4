package io.any4.calibrate;

import io.any4.checkpoint.Checkpoint;
import io.any4.checkpoint.CheckpointLayout;
import io.any4.checkpoint.CheckpointWriter;
import io.any4.checkpoint.DurableFiles;
import io.any4.checkpoint.HuggingFaceFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import io.any4.checkpoint.TensorSpec;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Consumer;
import tools.jackson.databind.node.ObjectNode;

/// Writes a changed copy of a model, with everything that lies beside the weights.
final class CopyWriter {
    private CopyWriter() {}

    /// @param output a directory that does not exist yet; it appears complete
    /// @param specs the tensors of the copy
    /// @param tensors writes all of them, in any order
    static void write(
            Checkpoint source,
            Path output,
            List<TensorSpec> specs,
            ObjectNode config,
            Consumer<CheckpointWriter> tensors) {
        QuantizationJob.requireAbsent(output);
        Path partial = WorkDirectory.root(output);
        Map<String, String> metadata = new TreeMap<>(source.metadata());
        metadata.putIfAbsent("format", "pt"); // older Python loaders insist on it
        CheckpointLayout layout = CheckpointLayout.plan(specs, CheckpointLayout.DEFAULT_SHARD_BYTES, metadata);
        try {
            DirectoryTrees.delete(partial);
            Files.createDirectories(partial);
            try (CheckpointWriter writer = CheckpointWriter.open(partial, layout)) {
                tensors.accept(writer);
                writer.force();
            }
            DurableFiles.write(partial.resolve("config.json"), JsonFiles.pretty(config));
            for (Path file : HuggingFaceFiles.carriedOver(source.directory())) {
                Files.copy(file, partial.resolve(file.getFileName()));
            }
            DurableFiles.move(partial, output.toAbsolutePath());
        } catch (IOException e) {
            throw InvalidInputException.writing(output, e);
        }
    }
}
