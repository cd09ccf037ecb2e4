package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/// Finds the documents of tasks in a directory, or where the Hugging Face libraries keep what they downloaded.
///
/// In a directory, the data of a task is a file such as `hellaswag.jsonl` or `hellaswag.validation.jsonl.gz`, or files
/// below a directory `hellaswag`. A name with the word `train`, `validation`, `dev` or `test` in it is that split; a
/// name with none of them is the split that is evaluated.
public final class DataFiles {
    private final FileSearch search;
    private final Map<Path, List<Document>> read = new TreeMap<>();

    private DataFiles(Path root) {
        search = new FileSearch(root);
    }

    /// Data in a directory.
    ///
    /// @throws InvalidInputException if there is no such directory
    public static DataFiles in(Path directory) {
        if (!Files.isDirectory(directory)) {
            throw new InvalidInputException(
                    directory + " is not a directory: name one with the tasks' data, such as hellaswag.jsonl");
        }
        return new DataFiles(directory);
    }

    /// Data in the cache of the Hugging Face libraries.
    ///
    /// @param environment the environment variables, of which `HF_HUB_CACHE` and `HF_HOME` place the cache
    /// @throws InvalidInputException if there is no cache
    public static DataFiles inHuggingFaceCache(Map<String, String> environment) {
        Path cache = HubCache.directory(environment);
        if (!Files.isDirectory(cache)) {
            throw new InvalidInputException(
                    "there is no Hugging Face cache at %s: name a directory with the tasks' data".formatted(cache));
        }
        return new DataFiles(cache);
    }

    /// The documents that are evaluated; empty if the subject has none.
    ///
    /// @throws InvalidInputException if there is no such data
    List<Document> documents(DataSource source) {
        return documents(source, source.split());
    }

    /// The documents that few-shot examples are drawn from.
    ///
    /// @throws InvalidInputException if there is no such data
    List<Document> examples(DataSource source) {
        return documents(source, source.exampleSplit());
    }

    private List<Document> documents(DataSource source, Split split) {
        List<Document> documents = new ArrayList<>();
        for (Path file : search.files(source, split)) {
            documents.addAll(read.computeIfAbsent(file, JsonLines::read));
        }
        String subject = source.subject();
        return subject == null ? documents : ofSubject(documents, subject);
    }

    private static List<Document> ofSubject(List<Document> documents, String subject) {
        return documents.stream()
                .filter(document -> document.text("subject").equals(subject))
                .toList();
    }
}
