package io.any4.quant;

import io.any4.checkpoint.InvalidInputException;
import java.util.regex.Pattern;
import java.util.regex.PatternSyntaxException;

/// Names some of a model's modules: exactly, by a glob such as `*.down_proj`, or by `re:` and a regular
/// expression.
///
/// A pattern has to match the whole name, such as `model.layers.0.mlp.down_proj`. In a glob `*` stands for any
/// text, dots included, and `?` for one character.
///
/// @param text as the user wrote it
public record ModulePattern(String text, Pattern regex) {
    private static final String REGEX_PREFIX = "re:";

    /// @throws InvalidInputException if the regular expression is malformed or the text is empty
    public static ModulePattern parse(String text) {
        if (text.isBlank()) {
            throw new InvalidInputException(
                    "a module pattern is empty: write a name, a glob such as *.down_proj, or re:");
        }
        if (!text.startsWith(REGEX_PREFIX)) {
            return new ModulePattern(text, Pattern.compile(globAsRegex(text)));
        }
        try {
            return new ModulePattern(text, Pattern.compile(text.substring(REGEX_PREFIX.length())));
        } catch (PatternSyntaxException e) {
            throw new InvalidInputException(
                    "module pattern %s is no regular expression: %s".formatted(text, e.getDescription()), e);
        }
    }

    private static String globAsRegex(String glob) {
        StringBuilder regex = new StringBuilder();
        for (char c : glob.toCharArray()) {
            switch (c) {
                case '*' -> regex.append(".*");
                case '?' -> regex.append('.');
                default -> regex.append(Pattern.quote(String.valueOf(c)));
            }
        }
        return regex.toString();
    }

    public boolean matches(String module) {
        return regex.matcher(module).matches();
    }
}
