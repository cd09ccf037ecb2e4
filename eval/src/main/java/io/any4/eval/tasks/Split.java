package io.any4.eval.tasks;

import java.util.Set;

/// A part of a data set, and the words that name it in file names.
enum Split {
    TRAIN("train", "training"),
    VALIDATION("validation", "valid", "val", "dev"),
    DEV("dev"),
    TEST("test");

    /// Words that name some split.
    static final Set<String> WORDS = Set.of("train", "training", "validation", "valid", "val", "dev", "test");

    private final Set<String> words;

    Split(String... words) {
        this.words = Set.of(words);
    }

    boolean named(String word) {
        return words.contains(word);
    }
}
