package io.any4.eval.tasks;

import io.any4.checkpoint.InvalidInputException;
import java.io.IOException;
import java.nio.file.FileVisitOption;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.function.Predicate;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// Tells from the names of files which of them have a task's data.
///
/// @param root a directory of data sets, or the hub's cache
record FileSearch(Path root) {
    private static final Pattern DATA = Pattern.compile(".*\\.jsonl?(\\.gz)?");
    /// What data sets say about themselves.
    private static final Set<String> DESCRIPTIONS = Set.of("config.json", "dataset_info.json", "dataset_infos.json");

    private static final Pattern SHARD = Pattern.compile("-\\d{5}-of-\\d{5}");
    private static final Pattern WORD_BREAK = Pattern.compile("[^a-z0-9]+");
    private static final int DEPTH = 4;

    /// The files of a split, in order; several only if they are numbered parts of one.
    List<Path> files(DataSource source, Split split) {
        List<Path> all = candidates(source);
        List<Path> data = all.stream().filter(FileSearch::isData).toList();
        List<Path> found = ofSplit(data, split::named);
        if (found.isEmpty() && split == source.split()) {
            found = data.stream()
                    .filter(file -> !hasWord(file, Split.WORDS::contains))
                    .toList();
        }
        if (found.isEmpty()) {
            throw absent(source, split, ofSplit(all, split::named));
        }
        if (found.size() > 1
                && !found.stream().allMatch(file -> SHARD.matcher(name(file)).find())) {
            throw new InvalidInputException("each of %s could be the %s data of %s: leave one of them in %s"
                    .formatted(found, lower(split), source.names().getFirst(), root));
        }
        return found;
    }

    /// Every file that belongs to the data set, sorted; only those of its configuration, if they are kept apart.
    private List<Path> candidates(DataSource source) {
        List<Path> found = new ArrayList<>();
        for (Path entry : walk(root, 1)) {
            if (source.names().stream().anyMatch(name -> isCalled(entry, name))) {
                found.addAll(walk(entry, DEPTH));
            }
        }
        Path snapshot = HubCache.snapshot(root, source.dataset());
        if (snapshot != null) {
            found.addAll(walk(snapshot, DEPTH));
        }
        List<Path> files = found.stream().filter(Files::isRegularFile).sorted().toList();
        List<Path> ofConfig =
                files.stream().filter(file -> isBelow(file, source.config())).toList();
        return ofConfig.isEmpty() ? files : ofConfig;
    }

    private static List<Path> walk(Path directory, int depth) {
        try (Stream<Path> paths = Files.walk(directory, depth, FileVisitOption.FOLLOW_LINKS)) {
            return paths.toList();
        } catch (IOException e) {
            throw InvalidInputException.reading(directory, e);
        }
    }

    private static boolean isCalled(Path entry, String name) {
        String actual = name(entry);
        return actual.equals(name) || actual.startsWith(name + ".") || actual.startsWith(name + "-");
    }

    private boolean isBelow(Path file, @Nullable String config) {
        for (Path part : root.relativize(file)) {
            if (part.toString().equalsIgnoreCase(config)) {
                return true;
            }
        }
        return false;
    }

    private static List<Path> ofSplit(List<Path> files, Predicate<String> word) {
        return files.stream().filter(file -> hasWord(file, word)).toList();
    }

    private static boolean hasWord(Path file, Predicate<String> word) {
        return WORD_BREAK.splitAsStream(name(file)).anyMatch(word);
    }

    private static boolean isData(Path file) {
        return DATA.matcher(name(file)).matches() && !DESCRIPTIONS.contains(name(file));
    }

    private static String name(Path file) {
        return lower(file.getFileName());
    }

    private static String lower(Object name) {
        return name.toString().toLowerCase(Locale.ROOT);
    }

    private InvalidInputException absent(DataSource source, Split split, List<Path> unreadable) {
        String name = source.names().getFirst();
        String target = "%s.%s.jsonl".formatted(name, lower(split));
        for (Path file : unreadable) {
            if (name(file).endsWith(".parquet")) {
                return new InvalidInputException(
                        "%s is a Parquet file, which is not read: convert it with duckdb -c \"COPY (FROM '%s') TO '%s'\""
                                .formatted(file, file, target));
            }
        }
        return new InvalidInputException("there is no %s data of %s in %s: put %s of the data set %s there as %s"
                .formatted(lower(split), name, root, lower(split), source.dataset(), target));
    }
}
