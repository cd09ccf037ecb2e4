package io.any4.calibrate;

import io.any4.checkpoint.DurableFiles;
import io.any4.checkpoint.InvalidInputException;
import io.any4.checkpoint.JsonFiles;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.node.ObjectNode;

/// How long a quantization took, with the calibration and preparation that belong to it.
///
/// A [QuantizationJob] leaves it in a file of its own beside the weights. It is the only file of an output that differs
/// from run to run.
///
/// @param seconds on the clock
/// @param cpuSeconds on the processor, all threads of the process together; 0 where the operating system does not tell
public record QuantizationTime(double seconds, double cpuSeconds) {
    /// The file beside the weights.
    public static final String FILE = "quantization_time.json";

    static final QuantizationTime NONE = new QuantizationTime(0, 0);

    private static final String SECONDS = "seconds";
    private static final String CPU_SECONDS = "cpu_seconds";

    QuantizationTime plus(QuantizationTime other) {
        return new QuantizationTime(seconds + other.seconds, cpuSeconds + other.cpuSeconds);
    }

    /// What a checkpoint says about itself, or null if it says nothing.
    ///
    /// @throws InvalidInputException if the file is there but damaged
    public static @Nullable QuantizationTime of(Path checkpoint) {
        Path file = checkpoint.resolve(FILE);
        if (!Files.exists(file)) {
            return null;
        }
        ObjectNode json = JsonFiles.read(file);
        return new QuantizationTime(number(json, SECONDS, file), number(json, CPU_SECONDS, file));
    }

    private static double number(ObjectNode json, String key, Path file) {
        JsonNode value = json.path(key);
        if (!value.isNumber()) {
            throw new InvalidInputException("%s lacks the number %s: delete the file".formatted(file, key));
        }
        return value.asDouble();
    }

    void write(Path checkpoint) {
        ObjectNode json = JsonFiles.object().put(SECONDS, rounded(seconds)).put(CPU_SECONDS, rounded(cpuSeconds));
        DurableFiles.write(checkpoint.resolve(FILE), JsonFiles.pretty(json));
    }

    private static double rounded(double value) {
        return Math.rint(1000 * value) / 1000;
    }
}
