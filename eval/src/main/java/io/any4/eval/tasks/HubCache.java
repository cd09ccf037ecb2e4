package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Where `huggingface_hub` keeps data sets: `datasets--ORG--NAME/snapshots/COMMIT/`, with `refs/main` naming a commit.
final class HubCache {
    private HubCache() {}

    static Path directory(Map<String, String> environment) {
        String cache = environment.get("HF_HUB_CACHE");
        if (cache != null) {
            return Path.of(cache);
        }
        String home = environment.get("HF_HOME");
        Path hub = home != null ? Path.of(home) : Path.of(System.getProperty("user.home"), ".cache", "huggingface");
        return hub.resolve("hub");
    }

    /// The files of a data set, or null if the cache does not have it.
    static @Nullable Path snapshot(Path cache, String dataset) {
        Path directory = cache.resolve("datasets--" + dataset.replace("/", "--"));
        Path snapshots = directory.resolve("snapshots");
        if (!Files.isDirectory(snapshots)) {
            return null;
        }
        Path reference = directory.resolve("refs").resolve("main");
        try (Stream<Path> commits = Files.list(snapshots)) {
            if (Files.exists(reference)) {
                return snapshots.resolve(Files.readString(reference).strip());
            }
            return commits.max(Comparator.naturalOrder()).orElse(null);
        } catch (IOException e) {
            throw InvalidInputException.reading(directory, e);
        }
    }
}
