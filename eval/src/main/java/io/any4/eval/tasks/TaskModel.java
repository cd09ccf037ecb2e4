package io.any4.eval.tasks;

import io.any4.engine.GenerationDefaults;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.Set;

/// A model that can be asked questions.
///
/// @param decoder the model, which nobody else may use meanwhile
/// @param tokenizer its tokenizer
/// @param stopIds tokens that end what it writes
public record TaskModel(Decoder decoder, Tokenizer tokenizer, Set<Integer> stopIds) {
    public TaskModel {
        stopIds = Set.copyOf(stopIds);
    }

    /// @param directory the model's, whose generation_config.json names the stop ids
    public static TaskModel of(Path directory, Decoder decoder, Tokenizer tokenizer) {
        Set<Integer> stopIds = new HashSet<>(
                GenerationDefaults.read(directory, decoder.config()).stopIds());
        if (tokenizer.eosId() >= 0) {
            stopIds.add(tokenizer.eosId());
        }
        return new TaskModel(decoder, tokenizer, stopIds);
    }
}
