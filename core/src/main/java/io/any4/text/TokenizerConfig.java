package io.any4.text;

import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;

/// What a model says about its tokenizer beside tokenizer.json: tokenizer_config.json and chat_template.jinja.
///
/// @param bosToken text of the beginning-of-sequence token, or null if the model has none
/// @param eosToken text of the end-of-sequence token, or null
/// @param addBos whether every text starts with the former; null if only tokenizer.json says
/// @param chatTemplate Jinja source that turns a conversation into text, or null
record TokenizerConfig(
        @Nullable String bosToken,
        @Nullable String eosToken,
        @Nullable Boolean addBos,
        @Nullable String chatTemplate) {
    static TokenizerConfig read(Path modelDirectory) {
        Path file = modelDirectory.resolve("tokenizer_config.json");
        JsonNode json = Files.exists(file) ? JsonFiles.read(file) : JsonFiles.object();
        JsonNode addBos = json.path("add_bos_token");
        return new TokenizerConfig(
                token(json.path("bos_token")),
                token(json.path("eos_token")),
                addBos.isBoolean() ? addBos.booleanValue() : null,
                chatTemplate(modelDirectory, json.path("chat_template")));
    }

    /// A token is given as its text, or as an object that has the text and details of its matching.
    private static @Nullable String token(JsonNode node) {
        JsonNode text = node.isObject() ? node.path("content") : node;
        return text.isString() ? text.stringValue() : null;
    }

    /// transformers 5 keeps the template in a file of its own, transformers 4 as text or as a list of named texts.
    private static @Nullable String chatTemplate(Path modelDirectory, JsonNode inline) {
        Path file = modelDirectory.resolve("chat_template.jinja");
        if (Files.exists(file)) {
            try {
                return Files.readString(file);
            } catch (IOException e) {
                throw InvalidInputException.reading(file, e);
            }
        }
        for (JsonNode named : inline) {
            if (named.path("name").asString("").equals("default")) {
                return named.path("template").asString();
            }
        }
        return inline.isString() ? inline.stringValue() : null;
    }
}
