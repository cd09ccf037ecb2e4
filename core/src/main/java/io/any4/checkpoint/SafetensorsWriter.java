package io.any4.checkpoint;

import io.any4.tensor.Tensor;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;

/// Writes a small set of tensors to one safetensors file; [CheckpointWriter] is for what does not fit in memory.
public final class SafetensorsWriter {
    private SafetensorsWriter() {}

    /// Writes the file atomically, replacing an existing one. The same arguments give the same bytes.
    ///
    /// @param metadata texts for `__metadata__`, possibly none
    /// @throws InvalidInputException if the file cannot be written; nothing is left behind then
    public static void write(Path file, SequencedMap<String, Tensor> tensors, Map<String, String> metadata) {
        List<TensorSpec> specs = tensors.entrySet().stream()
                .map(entry -> TensorSpec.of(entry.getKey(), entry.getValue()))
                .toList();
        SafetensorsLayout layout = new SafetensorsLayout(specs, metadata);
        DurableFiles.replace(file, temporary -> {
            try (TensorOutput output =
                    TensorOutput.open(temporary, layout, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
                for (Map.Entry<String, Tensor> entry : tensors.entrySet()) {
                    output.write(entry.getKey(), entry.getValue());
                }
            }
        });
    }
}
