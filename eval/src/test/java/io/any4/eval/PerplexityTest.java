package io.any4.eval;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.text.Tokenizer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/// The protocol end to end, against what transformers 5.18 computes in 32-bit floats from the same windows.
class PerplexityTest {
    private static final Path DEMO = Path.of("..", "models", "demo");
    private static final double REFERENCE = 34.172645701831115;

    @Test
    void agreesWithTransformers() throws IOException {
        String text = Files.readString(DEMO.resolve("heldout.txt")).substring(0, 6000);
        try (Checkpoint checkpoint = Checkpoint.open(DEMO);
                Tokenizer tokenizer = Tokenizer.load(DEMO);
                Device device = CpuDevice.open(CpuOptions.defaults())) {
            Decoder decoder = Decoder.load(checkpoint, device);
            int bytes = text.getBytes(StandardCharsets.UTF_8).length;
            Windows windows = Windows.cut(tokenizer.encode(text, true), 256, 512, bytes);
            PerplexityResult result = Perplexity.measure(decoder, windows, EvaluationListener.SILENT);

            assertThat(result.perplexity()).isCloseTo(REFERENCE, within(1e-4 * REFERENCE));
            assertThat(result.windows()).isEqualTo(7);
            double bitsPerToken = Math.log(result.perplexity()) / Math.log(2);
            assertThat(result.bitsPerByte())
                    .isCloseTo(bitsPerToken * (windows.ids().length - 1) / bytes, within(1e-12));
        }
    }
}
