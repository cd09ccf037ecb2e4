package io.any4.cli;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;

/// Text the user supplies.
final class TextFiles {
    private TextFiles() {}

    /// The contents of a UTF-8 text file that is not empty.
    static String read(Path file) {
        if (Files.isDirectory(file)) {
            throw new InvalidInputException("%s is a directory: name a text file instead".formatted(file));
        }
        try {
            String text = Files.readString(file);
            if (text.isBlank()) {
                throw new InvalidInputException("%s is empty: give a file with some text".formatted(file));
            }
            return text;
        } catch (CharacterCodingException e) {
            throw new InvalidInputException(
                    "%s is not UTF-8 text: convert it, or name another file".formatted(file), e);
        } catch (IOException e) {
            throw InvalidInputException.reading(file, e);
        }
    }
}
