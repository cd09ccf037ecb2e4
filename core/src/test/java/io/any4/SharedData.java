package io.any4;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;

/// The reference data that tests tagged `shared` read.
public final class SharedData {
    private SharedData() {}

    /// A file or folder of the reference data; fails if it is not there.
    public static Path path(String relative) {
        String root = System.getProperty("any4.shared");
        assertThat(root)
                .as("the folder of the reference data: run with -Pshared, or set -Dany4.shared=DIR")
                .isNotNull();
        Path path = Path.of(root).resolve(relative);
        assertThat(Files.exists(path)).as("%s exists", path).isTrue();
        return path;
    }
}
