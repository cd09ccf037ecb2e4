package io.any4.checkpoint;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadFeature;
import tools.jackson.core.json.JsonReadFeature;
import tools.jackson.core.util.DefaultIndenter;
import tools.jackson.core.util.DefaultPrettyPrinter;
import tools.jackson.core.util.Separators;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// The JSON files of a checkpoint: read strictly, written the way the Hugging Face libraries lay them out.
public final class JsonFiles {
    /// Python's `json` writes `NaN` and `Infinity`, and some published configurations contain them.
    private static final JsonMapper MAPPER = JsonMapper.builder()
            .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
            .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
            .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
            .build();

    private JsonFiles() {}

    /// The JSON object in `file`.
    ///
    /// @throws InvalidInputException if the file is absent, is not JSON or holds something else than an object
    public static ObjectNode read(Path file) {
        try {
            return parseObject(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        }
    }

    /// The JSON object in `bytes`; `what` names it in the error message.
    static ObjectNode parseObject(byte[] bytes, String what) {
        JsonNode root;
        try {
            root = MAPPER.readTree(bytes);
        } catch (JacksonException e) {
            throw new InvalidInputException(
                    "%s is not valid JSON (%s): get the file again from its source".formatted(what, reason(e)), e);
        }
        if (root instanceof ObjectNode object) {
            return object;
        }
        throw new InvalidInputException(
                "%s must be a JSON object, in braces, but is something else: get the file ".formatted(what)
                        + "again from its source");
    }

    private static String reason(JacksonException e) {
        String line = e.getOriginalMessage().lines().findFirst().orElse("");
        return line.isEmpty() ? e.getClass().getSimpleName() : line;
    }

    /// An empty object to fill.
    public static ObjectNode object() {
        return MAPPER.createObjectNode();
    }

    /// One line without spaces, for the header of a safetensors file.
    static byte[] compact(JsonNode node) {
        return MAPPER.writeValueAsBytes(node);
    }

    /// Indented by two spaces and ended by a newline, as `json.dumps(indent=2)` does.
    public static byte[] pretty(JsonNode node) {
        DefaultIndenter indenter = new DefaultIndenter("  ", "\n");
        Separators separators = Separators.createDefaultInstance().withObjectNameValueSpacing(Separators.Spacing.AFTER);
        DefaultPrettyPrinter printer = new DefaultPrettyPrinter()
                .withObjectIndenter(indenter)
                .withArrayIndenter(indenter)
                .withSeparators(separators);
        String text = MAPPER.writer().with(printer).writeValueAsString(node);
        return (text + "\n").getBytes(StandardCharsets.UTF_8);
    }
}
