package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.SequencedMap;
import java.util.zip.GZIPInputStream;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.MappingIterator;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.ObjectNode;

/// Reads the documents of a file: JSON objects one after the other, or one JSON list of them, possibly compressed.
final class JsonLines {
    private static final JsonMapper MAPPER = JsonMapper.shared();

    private JsonLines() {}

    /// The documents of a file, whatever form they are published in.
    static List<Document> read(Path file) {
        List<Document> documents = values(file);
        addLabels(file, documents);
        return recordedDocuments(documents);
    }

    /// The objects of a file as they are.
    static List<Document> values(Path file) {
        List<Document> documents = new ArrayList<>();
        try (InputStream in = open(file);
                MappingIterator<JsonNode> values =
                        MAPPER.readerFor(JsonNode.class).readValues(in)) {
            while (values.hasNextValue()) {
                documents.add(document(values.nextValue(), file, documents.size() + 1));
            }
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        } catch (JacksonException e) {
            throw new InvalidInputException(
                    "%s, document %d is not valid JSON: get the file again from its publisher"
                            .formatted(file, documents.size() + 1),
                    e);
        }
        return documents;
    }

    private static InputStream open(Path file) throws IOException {
        InputStream in = new BufferedInputStream(Files.newInputStream(file));
        return file.toString().endsWith(".gz") ? new GZIPInputStream(in) : in;
    }

    private static Document document(JsonNode value, Path file, int number) {
        String where = "%s, document %d".formatted(file, number);
        if (!value.isObject()) {
            throw new InvalidInputException(where + " is not a JSON object, in braces");
        }
        return new Document(value, where);
    }

    /// PIQA is published as `valid.jsonl` with the right answers in `valid-labels.lst` beside it.
    private static void addLabels(Path file, List<Document> documents) {
        String name = file.getFileName().toString();
        Path labels = file.resolveSibling(name.replaceFirst("\\.jsonl?$", "") + "-labels.lst");
        if (!Files.exists(labels)) {
            return;
        }
        List<String> lines = readLines(labels);
        if (lines.size() != documents.size()) {
            throw new InvalidInputException("%s has %d labels for the %d documents of %s: get both from one source"
                    .formatted(labels, lines.size(), documents.size(), name));
        }
        for (int i = 0; i < lines.size(); i++) {
            if (documents.get(i).fields() instanceof ObjectNode fields) {
                fields.put("label", lines.get(i).strip());
            }
        }
    }

    private static List<String> readLines(Path file) {
        try {
            return Files.readAllLines(file);
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        }
    }

    /// A recording of requests repeats each document for each of its requests, and again for those without a question.
    private static List<Document> recordedDocuments(List<Document> lines) {
        if (lines.isEmpty() || !lines.getFirst().has("request_type")) {
            return lines;
        }
        SequencedMap<String, Document> documents = new LinkedHashMap<>();
        lines.forEach(line -> documents.putIfAbsent(line.text("native_id"), line.part("doc")));
        return List.copyOf(documents.values());
    }
}
