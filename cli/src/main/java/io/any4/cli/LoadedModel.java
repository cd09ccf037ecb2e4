package io.any4.cli;

import io.any4.checkpoint.Checkpoint;
import io.any4.eval.Windows;
import io.any4.model.Decoder;
import io.any4.model.ModelConfig;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.Device;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/// A model on a device, with the files it lives on.
///
/// @param checkpoint the mapped files; stays open as long as the decoder is used
/// @param decoder the model, on a device that belongs to somebody else
record LoadedModel(Checkpoint checkpoint, Decoder decoder) implements AutoCloseable {
    static LoadedModel open(Path directory, Device device) {
        return open(directory, device, UnaryOperator.identity());
    }

    /// @param change to the config that the checkpoint has
    static LoadedModel open(Path directory, Device device, UnaryOperator<ModelConfig> change) {
        Checkpoint checkpoint = Checkpoint.open(directory);
        try {
            ModelConfig config = change.apply(ModelConfig.parse(checkpoint.config()));
            return new LoadedModel(checkpoint, Decoder.load(checkpoint, device, config));
        } catch (RuntimeException e) {
            checkpoint.close();
            throw e;
        }
    }

    /// A text cut into windows for this model.
    ///
    /// @param length tokens per window, or null for the usual
    Windows windows(String text, @Nullable Integer length) {
        int context = decoder.config().contextLength();
        try (Tokenizer tokenizer = Tokenizer.load(checkpoint.directory())) {
            return Windows.cut(
                    tokenizer.encode(text, true),
                    length == null ? Windows.usualLength(context) : length,
                    context,
                    text.getBytes(StandardCharsets.UTF_8).length);
        }
    }

    @Override
    public void close() {
        checkpoint.close();
    }
}
