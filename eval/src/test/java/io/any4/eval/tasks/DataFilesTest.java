package io.any4.eval.tasks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DataFilesTest {
    @TempDir
    Path directory;

    @Test
    void splitsAreToldByTheWordsInFileNames() throws IOException {
        write("gsm8k.jsonl", "plain");
        write("gsm8k-train.jsonl", "train");
        write("gsm8k_hard.jsonl", "other");
        assertThat(ids(data().documents(Gsm8k.TASK.source()))).containsExactly("plain");
        assertThat(ids(data().examples(Gsm8k.TASK.source()))).containsExactly("train");
        write("gsm8k.test.jsonl", "test");
        assertThat(ids(data().documents(Gsm8k.TASK.source()))).containsExactly("test");
    }

    @Test
    void configurationsOfADataSetAreKeptApart() throws IOException {
        write("ai2_arc/ARC-Easy/test.jsonl", "easy");
        write("ai2_arc/ARC-Challenge/test.jsonl", "hard");
        assertThat(ids(data().documents(Arc.EASY.source()))).containsExactly("easy");
        assertThat(ids(data().documents(Arc.CHALLENGE.source()))).containsExactly("hard");
    }

    @Test
    void shardsAreOneFile() throws IOException {
        write("piqa/validation-00001-of-00002.json", "b");
        write("piqa/validation-00000-of-00002.json", "a");
        assertThat(ids(data().documents(Piqa.TASK.source()))).containsExactly("a", "b");
    }

    @Test
    void severalFilesForOneSplitAreAmbiguous() throws IOException {
        write("piqa.jsonl", "a");
        write("piqa.copy.jsonl", "b");
        assertThatThrownBy(() -> data().documents(Piqa.TASK.source()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("piqa.copy.jsonl")
                .hasMessageContaining("leave one of them");
    }

    @Test
    void theHubsCacheIsRead() throws IOException {
        write("datasets--openai--gsm8k/snapshots/0123/main/test.jsonl", "old");
        write("datasets--openai--gsm8k/snapshots/abcd/main/test.jsonl", "new");
        write("datasets--openai--gsm8k/snapshots/abcd/socratic/test.jsonl", "socratic");
        Files.createDirectories(directory.resolve("datasets--openai--gsm8k/refs"));
        Files.writeString(directory.resolve("datasets--openai--gsm8k/refs/main"), "abcd");
        DataFiles cache = DataFiles.inHuggingFaceCache(Map.of("HF_HUB_CACHE", directory.toString()));
        assertThat(ids(cache.documents(Gsm8k.TASK.source()))).containsExactly("new");
    }

    @Test
    void compressedFilesAndListsAreRead() throws IOException {
        try (OutputStream out = new GZIPOutputStream(Files.newOutputStream(directory.resolve("piqa.jsonl.gz")))) {
            out.write("[{\"id\": \"a\"}, {\"id\": \"b\"}]".getBytes(StandardCharsets.UTF_8));
        }
        assertThat(ids(data().documents(Piqa.TASK.source()))).containsExactly("a", "b");
    }

    @Test
    void descriptionsOfADataSetAreNotData() throws IOException {
        write("piqa/config.json", "settings");
        write("piqa/data.jsonl", "a");
        assertThat(ids(data().documents(Piqa.TASK.source()))).containsExactly("a");
    }

    @Test
    void recordingsOfRequestsRepeatTheirDocuments() throws IOException {
        StringBuilder lines = new StringBuilder();
        for (String id : List.of("a", "a", "b", "b", "a", "b")) {
            lines.append("{'request_type': 'loglikelihood', 'native_id': 'ID', 'doc': {'id': 'ID'}}\n"
                    .replace("ID", id)
                    .replace('\'', '"'));
        }
        Files.writeString(directory.resolve("arc_easy.jsonl"), lines);
        assertThat(ids(data().documents(Arc.EASY.source()))).containsExactly("a", "b");
    }

    @Test
    void labelsBesideTheDocumentsAreAdded() throws IOException {
        write("piqa/valid.jsonl", "a", "b");
        Files.writeString(directory.resolve("piqa/valid-labels.lst"), "1\n0\n");
        assertThat(data().documents(Piqa.TASK.source()).stream().map(d -> d.number("label")))
                .containsExactly(1, 0);
        Files.writeString(directory.resolve("piqa/valid-labels.lst"), "1\n");
        assertThatThrownBy(() -> data().documents(Piqa.TASK.source()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("1 labels for the 2 documents");
    }

    @Test
    void missingDataIsExplained() throws IOException {
        assertThatThrownBy(() -> data().examples(Piqa.TASK.source()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("there is no train data of piqa")
                .hasMessageContaining("baber/piqa")
                .hasMessageContaining("piqa.train.jsonl");
        write("piqa/train-00000-of-00001.parquet", "a");
        assertThatThrownBy(() -> data().examples(Piqa.TASK.source()))
                .isInstanceOf(InvalidInputException.class)
                .hasMessageContaining("Parquet")
                .hasMessageContaining("duckdb");
    }

    private DataFiles data() {
        return DataFiles.in(directory);
    }

    private void write(String name, String... ids) throws IOException {
        Path file = directory.resolve(name);
        Files.createDirectories(file.getParent());
        StringBuilder lines = new StringBuilder();
        for (String id : ids) {
            lines.append("{\"id\": \"").append(id).append("\"}\n");
        }
        Files.writeString(file, lines);
    }

    private static List<String> ids(List<Document> documents) {
        return documents.stream().map(document -> document.text("id")).toList();
    }
}
