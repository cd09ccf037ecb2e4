package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.util.ArrayList;
import java.util.List;
import tools.jackson.databind.JsonNode;

/// One document of a data set, with fields as its publisher names them.
///
/// @param fields a JSON object
/// @param where file and line, for messages
record Document(JsonNode fields, String where) {
    boolean has(String field) {
        return fields.hasNonNull(field);
    }

    String text(String field) {
        return text(fields.path(field), field);
    }

    /// A list of texts.
    List<String> texts(String field) {
        return texts(fields.path(field), field);
    }

    /// A number, which some publishers write as text.
    int number(String field) {
        JsonNode node = fields.path(field);
        if (node.isIntegralNumber()) {
            return node.intValue();
        }
        String text = text(field);
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new InvalidInputException("%s: '%s' is '%s', not a number".formatted(where, field, text), e);
        }
    }

    /// The index of the right answer.
    int index(String field, int choices) {
        int index = number(field);
        if (index < 0 || index >= choices) {
            throw new InvalidInputException(
                    "%s: '%s' is %d, but there are %d choices".formatted(where, field, index, choices));
        }
        return index;
    }

    /// A part of this document.
    Document part(String field) {
        return new Document(fields.path(field), where + ", '" + field + "'");
    }

    /// The documents in a list of this document.
    List<Document> parts(String field) {
        List<Document> parts = new ArrayList<>();
        fields.path(field).forEach(part -> parts.add(new Document(part, where + ", '" + field + "'")));
        return parts;
    }

    private List<String> texts(JsonNode list, String field) {
        if (!list.isArray() || list.isEmpty()) {
            throw missing(field, "a list of texts");
        }
        List<String> texts = new ArrayList<>();
        list.forEach(node -> texts.add(text(node, field)));
        return texts;
    }

    private String text(JsonNode node, String field) {
        if (!node.isString()) {
            throw missing(field, "a text");
        }
        return node.stringValue();
    }

    private InvalidInputException missing(String field, String kind) {
        return new InvalidInputException("%s has no '%s' with %s: get the data set again from its publisher, or name "
                        .formatted(where, field, kind)
                + "the field as the publisher does");
    }
}
