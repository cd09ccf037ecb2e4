package io.any4.cuda;

import io.any4.checkpoint.Checkpoint;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.model.NextToken;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Sampling;
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
        KvCache cache = decoder.newCache(PROMPT + 2 * (WARM_UP + STEPS) + 1);
        int[] prompt = new int[PROMPT];
        Arrays.setAll(prompt, i -> i * 37 % model.vocabulary());
        long start = System.nanoTime();
        NextToken next = decoder.nextToken(Sampling.GREEDY);
        next.choose(decoder.forward(prompt, cache), PROMPT - 1);
        next.id();
        System.out.printf("%s: %d tokens of prompt in %.1f ms%n", model.name(), PROMPT, seconds(start) * 1e3);
        double greedy = decode(decoder, next, cache);
        report(model, bandwidth, "greedy", greedy);
        if (model == SyntheticModel.LLAMA_8B) {
            double share = greedy * model.bytesPerToken() / bandwidth;
            System.out.println(
                    Bar.atLeast(0.6, "decoding of the Llama-3-8B shape: share of the bandwidth bound", share));
        }
        NextToken drawn = decoder.nextToken(new Sampling(0.8, 40, 0.95, 1));
        drawn.choose(decoder.forward(new int[] {1}, cache), 0);
        report(model, bandwidth, "top-k and top-p", decode(decoder, drawn, cache));
    }

    /// Tokens per second; each is one graph, and one id that the host reads.
    private static double decode(Decoder decoder, NextToken next, KvCache cache) {
        run(decoder, next, cache, WARM_UP);
        long start = System.nanoTime();
        run(decoder, next, cache, STEPS);
        return STEPS / seconds(start);
    }

    private static void run(Decoder decoder, NextToken next, KvCache cache, int steps) {
        for (int i = 0; i < steps; i++) {
            next.choose(decoder.forward(next, cache), 0);
            next.id();
        }
    }

    private static void report(SyntheticModel model, double bandwidth, String how, double perSecond) {
        double bound = bandwidth / model.bytesPerToken();
        System.out.printf(
                "%s, %s: %.1f tokens/s, %.0f %% of the %.0f that %.0f GB/s allow%n",
                model.name(), how, perSecond, 100 * perSecond / bound, bound, bandwidth / 1e9);
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
