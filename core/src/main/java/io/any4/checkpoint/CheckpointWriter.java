package io.any4.checkpoint;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes the safetensors files of a checkpoint, one tensor at a time and in any order.
///
/// Nothing of a tensor is kept in memory. Opening a directory that an interrupted run has left goes on with its
/// files, which hold what was written before; the same tensors give the same bytes in whatever order and however
/// many runs. Until [#finish] the directory is no valid checkpoint: write to a temporary one and rename it.
public final class CheckpointWriter implements AutoCloseable {
    private final Path directory;
    private final CheckpointLayout layout;
    private final Map<String, TensorOutput> outputs = new LinkedHashMap<>();

    private CheckpointWriter(Path directory, CheckpointLayout layout) {
        this.directory = directory;
        this.layout = layout;
    }

    /// Creates the files, or opens those of an interrupted run, and writes their headers.
    ///
    /// @param directory an existing directory
    /// @throws InvalidInputException if a file cannot be written
    public static CheckpointWriter open(Path directory, CheckpointLayout layout) {
        CheckpointWriter writer = new CheckpointWriter(directory, layout);
        for (Map.Entry<String, SafetensorsLayout> entry : layout.files().entrySet()) {
            Path file = directory.resolve(entry.getKey());
            try {
                TensorOutput output =
                        TensorOutput.open(file, entry.getValue(), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                writer.outputs.put(entry.getKey(), output);
            } catch (IOException e) {
                writer.close();
                throw InvalidInputException.writing(file, e);
            }
        }
        return writer;
    }

    /// Writes one tensor to its place.
    ///
    /// @throws InvalidInputException if that fails, for example because the disk is full
    /// @throws IllegalArgumentException if the layout has no tensor of this name, type and shape
    public void write(String name, Tensor tensor) {
        String file = layout.fileOf(name);
        try {
            output(file).write(name, tensor);
        } catch (IOException e) {
            throw InvalidInputException.writing(directory.resolve(file), e);
        }
    }

    /// Waits until everything written so far has reached the disk.
    public void force() {
        for (Map.Entry<String, TensorOutput> entry : outputs.entrySet()) {
            try {
                entry.getValue().force();
            } catch (IOException e) {
                throw InvalidInputException.writing(directory.resolve(entry.getKey()), e);
            }
        }
    }

    /// Flushes the files and adds the index, if there are several. All tensors must have been written.
    public void finish() {
        force();
        byte[] index = layout.index();
        if (index != null) {
            AtomicFiles.write(directory.resolve(CheckpointLayout.INDEX_FILE), index);
        }
    }

    private TensorOutput output(String file) {
        TensorOutput output = outputs.get(file);
        if (output == null) {
            throw new IllegalStateException("the writer is closed");
        }
        return output;
    }

    @Override
    public void close() {
        outputs.forEach((name, output) -> {
            try {
                output.close();
            } catch (IOException e) {
                throw InvalidInputException.writing(directory.resolve(name), e);
            }
        });
        outputs.clear();
    }
}
