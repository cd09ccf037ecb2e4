package io.any4.cuda;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.Device;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;

/// Decodes with models of Llama shapes on a real GPU, end to end and by the clock on the wall:
/// `tools/gpu-bench.sh`.
final class ModelBench {
    private static final int PROMPT = 128;
    private static final int WARM_UP = 16;
    private static final int STEPS = 256;

    private ModelBench() {}

    /// @param args the bandwidth in GB/s that shares are given of, then names of models to leave out
    public static void main(String[] args) throws IOException {
        Locale.setDefault(Locale.ROOT);
        double bandwidth = Double.parseDouble(args[0]) * 1e9;
        List<String> skipped = Arrays.asList(args);
        for (SyntheticModel model : new SyntheticModel[] {SyntheticModel.LLAMA_1B, SyntheticModel.LLAMA_8B}) {
            if (!skipped.contains(model.name())) {
                measure(model, bandwidth);
            }
        }
    }

    private static void measure(SyntheticModel model, double bandwidth) throws IOException {
        Path directory = Files.createTempDirectory("any4-bench");
        try {
            model.write(directory);
            try (Device device = CudaDevice.open(0, Activation.BF16);
                    Checkpoint checkpoint = Checkpoint.open(directory)) {
                long start = System.nanoTime();
                Decoder decoder = Decoder.load(checkpoint, device);
                System.out.printf("%s: loaded in %.1f s%n", model.name(), seconds(start));
                decode(model, decoder, bandwidth);
            }
        } finally {
            delete(directory);
        }
    }

    private static void decode(SyntheticModel model, Decoder decoder, double bandwidth) {
        KvCache cache = decoder.newCache(PROMPT + WARM_UP + STEPS);
        float[] logits = new float[model.vocabulary()];
        int[] prompt = new int[PROMPT];
        Arrays.setAll(prompt, i -> i * 37 % model.vocabulary());
        long start = System.nanoTime();
        next(decoder, decoder.forward(prompt, cache), PROMPT - 1, logits);
        System.out.printf("%s: %d tokens of prompt in %.1f ms%n", model.name(), PROMPT, seconds(start) * 1e3);
        int token = 1;
        for (int i = 0; i < WARM_UP; i++) {
            token = next(decoder, decoder.forward(new int[] {token}, cache), 0, logits);
        }
        start = System.nanoTime();
        for (int i = 0; i < STEPS; i++) {
            token = next(decoder, decoder.forward(new int[] {token}, cache), 0, logits);
        }
        double perSecond = STEPS / seconds(start);
        double bound = bandwidth / model.bytesPerToken();
        System.out.printf(
                "%s: %.1f tokens/s, %.0f %% of the %.0f that %.0f GB/s allow%n",
                model.name(), perSecond, 100 * perSecond / bound, bound, bandwidth / 1e9);
    }

    private static int next(Decoder decoder, Buffer hidden, int row, float[] logits) {
        decoder.logits(hidden, row, 1, logits);
        int best = 0;
        for (int i = 1; i < logits.length; i++) {
            best = logits[i] > logits[best] ? i : best;
        }
        return best;
    }

    private static double seconds(long start) {
        return (System.nanoTime() - start) / 1e9;
    }

    private static void delete(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(directory);
    }
}
