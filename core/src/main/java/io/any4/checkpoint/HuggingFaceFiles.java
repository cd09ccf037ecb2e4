package io.any4.checkpoint;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.stream.Stream;

/// The files beside the weights of a Hugging Face model that any form of the model needs: tokenizer, chat template,
/// generation settings, licence.
///
/// `config.json` is not among them, as a quantized model has its own, nor is the model card, which describes the
/// original.
public final class HuggingFaceFiles {
    private static final Set<String> NAMES = Set.of(
            "added_tokens.json",
            "chat_template.json",
            "generation_config.json",
            "merges.txt",
            "preprocessor_config.json",
            "special_tokens_map.json",
            "spiece.model",
            "vocab.json",
            "vocab.txt");

    private HuggingFaceFiles() {}

    /// The files of `directory` that are carried over to a quantized output, sorted by name.
    ///
    /// @throws InvalidInputException if the directory cannot be read
    public static List<Path> carriedOver(Path directory) {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(Files::isRegularFile)
                    .filter(path -> isCarriedOver(path.getFileName().toString()))
                    .sorted()
                    .toList();
        } catch (IOException e) {
            throw InvalidInputException.reading(directory, e);
        }
    }

    private static boolean isCarriedOver(String name) {
        String upper = name.toUpperCase(Locale.ROOT);
        return NAMES.contains(name)
                || name.startsWith("tokenizer")
                || name.startsWith("tokenization_") && name.endsWith(".py")
                || name.endsWith(".jinja")
                || name.endsWith(".tiktoken")
                || upper.startsWith("LICENSE")
                || upper.startsWith("NOTICE")
                || upper.startsWith("USE_POLICY");
    }
}
