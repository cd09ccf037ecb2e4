package io.any4.bench.jlama;

import com.github.tjake.jlama.model.AbstractModel;
import com.github.tjake.jlama.model.ModelSupport;
import com.github.tjake.jlama.safetensors.DType;
import com.github.tjake.jlama.safetensors.SafeTensorSupport;
import com.github.tjake.jlama.tensor.AbstractTensor;
import com.github.tjake.jlama.tensor.KvBufferCache;
import com.github.tjake.jlama.tensor.operations.TensorOperationsProvider;
import com.github.tjake.jlama.util.PhysicalCoreExecutor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.Random;

/// Measures Jlama as `any4j bench` measures any4j: `JlamaBench MODEL QUANTIZED THREADS PROMPT GENERATED` prints tokens per
/// second of both as JSON. MODEL is a checkpoint in 16-bit floats, which is quantized to Jlama's Q4 in the folder QUANTIZED
/// unless that is there.
public final class JlamaBench {
    private JlamaBench() {}

    public static void main(String[] args) throws IOException {
        Path quantized = quantized(Path.of(args[0]), Path.of(args[1]));
        int threads = Integer.parseInt(args[2]);
        int prompt = Integer.parseInt(args[3]);
        int generated = Integer.parseInt(args[4]);
        PhysicalCoreExecutor.overrideThreadCount(threads);
        try (AbstractModel model = ModelSupport.loadModel(quantized.toFile(), DType.F32, DType.I8)) {
            int[] ids = new Random(1).ints(Math.max(prompt, generated), 0, model.getConfig().vocabularySize).toArray();
            measure(model, ids, Math.min(64, prompt), 8);
            double[] speeds = measure(model, ids, prompt, generated);
            System.out.printf(
                    "{\"pp_per_second\": %.2f, \"tg_per_second\": %.2f, \"version\": \"0.8.4, %s\"}%n",
                    speeds[0], speeds[1], TensorOperationsProvider.get().name());
        }
    }

    private static Path quantized(Path model, Path quantized) throws IOException {
        if (Files.exists(quantized.resolve("model.safetensors"))) {
            return quantized;
        }
        Files.createDirectories(quantized);
        return SafeTensorSupport.quantizeModel(model, DType.Q4, new String[0], new String[0], Optional.of(quantized));
    }

    /// Tokens per second of a prompt and of tokens one by one, each from an empty context.
    private static double[] measure(AbstractModel model, int[] ids, int prompt, int generated) throws IOException {
        float[] speeds = new float[2];
        AbstractTensor logits = model.makeDenseTensor(model.getConfig().vocabularySize);
        try (var cache = new KvBufferCache(model);
                var context = cache.getEphemeralKvBuffer()) {
            long start = System.nanoTime();
            AbstractTensor last = model.batchForward(Arrays.copyOf(ids, prompt), 0, context);
            model.sample(last.slice(last.shape().first() - 1), 0f, 0.5f, logits);
            speeds[0] = prompt / ((System.nanoTime() - start) / 1e9f);
        }
        try (var cache = new KvBufferCache(model);
                var context = cache.getEphemeralKvBuffer()) {
            long start = System.nanoTime();
            for (int i = 0; i < generated; i++) {
                model.sample(model.forward(ids[i], i, context, Optional.empty()), 0f, 0.5f, logits);
            }
            speeds[1] = generated / ((System.nanoTime() - start) / 1e9f);
        }
        return new double[] {speeds[0], speeds[1]};
    }
}
