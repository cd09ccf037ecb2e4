package io.any4.bench;

import io.any4.tensor.DType;
import io.any4.tinygemm.AttentionShape;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Span;
import java.util.Arrays;
import java.util.Locale;
import java.util.SplittableRandom;

/// The attention of all layers of a [Llama1b], for one token behind contexts of several lengths and for a prompt of
/// 512, with caches of several types interleaved: `AttentionTimes f32,f16 2 2048,8192 [rounds]`.
final class AttentionTimes {
    private static final AttentionShape SHAPE = new AttentionShape(32, 8, 64, 0);
    private static final int PROMPT = 512;

    private final CpuDevice device;
    private final DType dtype;
    private final Buffer[] keys = new Buffer[Llama1b.LAYERS];
    private final Buffer[] values = new Buffer[Llama1b.LAYERS];
    private final Buffer queries;
    private final Buffer out;

    private AttentionTimes(CpuDevice device, DType dtype, int positions) {
        this.device = device;
        this.dtype = dtype;
        queries = device.allocate((long) PROMPT * SHAPE.queryWidth());
        out = device.allocate((long) PROMPT * SHAPE.queryWidth());
        device.write(random(PROMPT * SHAPE.queryWidth()), queries, 0);
        float[] numbers = random(positions * SHAPE.kvWidth());
        for (int layer = 0; layer < Llama1b.LAYERS; layer++) {
            keys[layer] = device.allocate(dtype, numbers.length);
            values[layer] = device.allocate(dtype, numbers.length);
            device.write(numbers, keys[layer], 0);
            device.write(numbers, values[layer], 0);
        }
    }

    private static float[] random(int length) {
        SplittableRandom random = new SplittableRandom(1);
        float[] numbers = new float[length];
        for (int i = 0; i < length; i++) {
            numbers[i] = random.nextFloat() - 0.5f;
        }
        return numbers;
    }

    private double milliseconds(int tokens, int position) {
        long start = System.nanoTime();
        for (int layer = 0; layer < Llama1b.LAYERS; layer++) {
            device.attention(queries, keys[layer], values[layer], SHAPE, Span.alone(tokens), position, out);
        }
        return (System.nanoTime() - start) / 1e6;
    }

    public static void main(String[] args) {
        int threads = Integer.parseInt(args[1]);
        int[] contexts = Arrays.stream(args[2].split(",", -1))
                .mapToInt(Integer::parseInt)
                .toArray();
        int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 15;
        int most = Math.max(PROMPT, Arrays.stream(contexts).max().orElseThrow());
        try (CpuDevice device = CpuDevice.open(new CpuOptions(threads, true))) {
            AttentionTimes[] caches = Arrays.stream(args[0].split(",", -1))
                    .map(type -> new AttentionTimes(
                            device, DType.named(type.toUpperCase(Locale.ROOT)).orElseThrow(), most))
                    .toArray(AttentionTimes[]::new);
            for (int context : contexts) {
                report(caches, 1, context - 1, rounds);
            }
            report(caches, PROMPT, 0, rounds);
        }
    }

    private static void report(AttentionTimes[] caches, int tokens, int position, int rounds) {
        double[][] times = new double[caches.length][rounds];
        for (int round = -10; round < rounds; round++) {
            for (int i = 0; i < caches.length; i++) {
                double time = caches[i].milliseconds(tokens, position);
                if (round >= 0) {
                    times[i][round] = time;
                }
            }
        }
        for (int i = 0; i < caches.length; i++) {
            Arrays.sort(times[i]);
            double median = times[i][rounds / 2];
            long bytes = 2L * Llama1b.LAYERS * (position + tokens) * SHAPE.kvWidth() * caches[i].dtype.bytes();
            System.out.printf(
                    "%-4s %3d tokens at %5d: median %8.3f ms, best %8.3f ms, %6.2f GB/s of keys and values%n",
                    caches[i].dtype, tokens, position, median, times[i][0], bytes / median / 1e6);
        }
    }
}
