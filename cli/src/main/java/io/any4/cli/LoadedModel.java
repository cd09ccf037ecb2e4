package io.any4.cli;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.tinygemm.Device;
import java.nio.file.Path;

/// A model on a device, with the files it lives on.
///
/// @param checkpoint the mapped files; stays open as long as the decoder is used
/// @param decoder the model, on a device that belongs to somebody else
record LoadedModel(Checkpoint checkpoint, Decoder decoder) implements AutoCloseable {
    static LoadedModel open(Path directory, Device device) {
        Checkpoint checkpoint = Checkpoint.open(directory);
        try {
            return new LoadedModel(checkpoint, Decoder.load(checkpoint, device));
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
