package io.any4.cli;

import tools.jackson.databind.json.JsonMapper;

/// Results for programs.
final class Json {
    private static final JsonMapper MAPPER = JsonMapper.builder().build();

    private Json() {}

    /// One line of JSON.
    static String line(Object value) {
        return MAPPER.writeValueAsString(value);
    }
}
