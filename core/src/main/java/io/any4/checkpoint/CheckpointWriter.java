package io.any4.checkpoint;

import static java.nio.file.StandardOpenOption.CREATE;
import static java.nio.file.StandardOpenOption.READ;
import static java.nio.file.StandardOpenOption.WRITE;

import io.any4.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/// Writes the safetensors files of a checkpoint, one tensor at a time and in any order.
///
/// Nothing of a tensor is kept in memory. Opening a directory that an interrupted run has left goes on with its
/// files, which hold what was written before; the same tensors give the same bytes in whatever order and however
/// many runs. Until all are written the directory is no valid checkpoint: use a temporary one and rename it.
public final class CheckpointWriter implements AutoCloseable {
    private final Path directory;
    private final CheckpointLayout layout;
    private final Map<String, TensorOutput> outputs = new LinkedHashMap<>();

    private CheckpointWriter(Path directory, CheckpointLayout layout) {
        this.directory = directory;
        this.layout = layout;
    }

    /// Creates the files, or opens those of an interrupted run, and writes their headers and the index.
    ///
    /// @param directory an existing directory
    /// @throws InvalidInputException if a file cannot be written
    public static CheckpointWriter open(Path directory, CheckpointLayout layout) {
        CheckpointWriter writer = new CheckpointWriter(directory, layout);
        try {
            layout.files().forEach(writer::open);
            byte[] index = layout.index();
            if (index != null) {
                DurableFiles.write(directory.resolve(CheckpointLayout.INDEX_FILE), index);
            }
            return writer;
        } catch (InvalidInputException e) {
            writer.close();
            throw e;
        }
    }

    private void open(String name, SafetensorsLayout file) {
        Path path = directory.resolve(name);
        try {
            outputs.put(name, TensorOutput.open(path, file, CREATE, READ, WRITE));
        } catch (IOException e) {
            throw InvalidInputException.writing(path, e);
        }
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

    /// A view of a tensor that this or an earlier run has written.
    public Tensor view(String name, Arena arena) {
        String file = layout.fileOf(name);
        try {
            return output(file).view(name, arena);
        } catch (IOException e) {
            throw InvalidInputException.reading(directory.resolve(file), e);
        }
    }

    /// Waits until everything written so far has reached the disk. When that holds for all tensors the checkpoint is
    /// complete.
    public void force() {
        for (Map.Entry<String, TensorOutput> entry : outputs.entrySet()) {
            try {
                entry.getValue().force();
            } catch (IOException e) {
                throw InvalidInputException.writing(directory.resolve(entry.getKey()), e);
            }
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
