package io.any4.eval.tasks;

import java.util.Locale;

/// String operations with Python's idea of white space, which differs from Java's in a few characters; prompts depend
/// on it.
final class PythonText {
    private PythonText() {}

    /// `str.isspace` of one character.
    static boolean isSpace(int c) {
        return Character.isSpaceChar(c) || c >= '\t' && c <= '\r' || c >= 0x1C && c <= 0x1F || c == 0x85;
    }

    /// `str.strip()`.
    static String strip(String text) {
        return lstrip(rstrip(text));
    }

    /// `str.rstrip()`.
    static String rstrip(String text) {
        int end = text.length();
        while (end > 0 && isSpace(text.charAt(end - 1))) {
            end--;
        }
        return text.substring(0, end);
    }

    /// `str.lstrip()`.
    static String lstrip(String text) {
        int start = 0;
        while (start < text.length() && isSpace(text.charAt(start))) {
            start++;
        }
        return text.substring(start);
    }

    /// `str.capitalize()`: the first character in title case, all others in lower case.
    static String capitalize(String text) {
        if (text.isEmpty()) {
            return text;
        }
        int first = text.codePointAt(0);
        return Character.toString(Character.toTitleCase(first))
                + text.substring(Character.charCount(first)).toLowerCase(Locale.ROOT);
    }
}
