package io.any4.calibrate;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.checkpoint.Checkpoint;
import io.any4.quant.Any4Config;
import io.any4.quant.Any4Format;
import io.any4.quant.QuantizationSpec;
import io.any4.tinygemm.LutWeight;
import io.any4.tinygemm.Team;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Real checkpoints of every supported architecture.
@Tag("shared")
class SharedQuantizationTest {
    @TempDir
    Path directory;

    static Stream<Path> models() throws IOException {
        String shared = System.getProperty("any4.shared");
        assertThat(shared).as("run with -Pshared, or with -Dany4.shared=DIR").isNotBlank();
        try (Stream<Path> files = Files.walk(Path.of(shared, "models"))) {
            return files.filter(file -> file.endsWith("config.json")).map(Path::getParent).sorted().toList().stream();
        }
    }

    @ParameterizedTest
    @MethodSource("models")
    void everyModelIsQuantizedToTheAnnouncedSize(Path model) throws IOException {
        Path output = directory.resolve("out");
        QuantizationSettings settings = QuantizationSettings.of(QuantizationSpec.parse("any4,group-size=32"));
        try (Checkpoint checkpoint = Checkpoint.open(model);
                Team team = new Team(2)) {
            QuantizationPlan plan = QuantizationPlan.of(checkpoint, settings, StatisticsSource.NONE);
            QuantizationResult result =
                    QuantizationJob.run(plan, output, StatisticsSource.NONE, team, JobListener.NONE);
            assertThat(Directories.bytes(output)).isEqualTo(plan.outputBytes());
            assertThat(result.total().relativeError()).isBetween(1e-5, 0.01);
            try (Checkpoint quantized = Checkpoint.open(output)) {
                Any4Format format = Any4Format.of(quantized.config());
                for (Any4Config.Module module : plan.modules()) {
                    assertThat(format.read(quantized, module.name())).isInstanceOf(LutWeight.class);
                }
            }
        }
    }
}
