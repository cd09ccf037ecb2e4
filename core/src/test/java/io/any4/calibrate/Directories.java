package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;

/// Looks at directories as a user would; the one file that differs from run to run is overlooked.
final class Directories {
    private Directories() {}

    static List<String> names(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> !name.equals(QuantizationTime.FILE))
                    .sorted()
                    .toList();
        }
    }

    static long bytes(Path directory) throws IOException {
        return names(directory).stream()
                .mapToLong(name -> directory.resolve(name).toFile().length())
                .sum();
    }

    static void assertSame(Path actual, Path expected) throws IOException {
        assertThat(names(actual)).isEqualTo(names(expected));
        for (String name : names(expected)) {
            assertThat(actual.resolve(name)).hasSameBinaryContentAs(expected.resolve(name));
        }
    }
}
