package io.any4.bench;

import io.any4.tinygemm.Activations;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Weight;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// All matrix products of one token of a [Llama1b], formats and thread counts interleaved: `TokenProducts
/// any4,any4:int14,int4 1,2 [tokens] [rounds] [group]`; `:int14` or `:int8` ask for such activations.
final class TokenProducts {
    private TokenProducts() {}

    /// A format's matrices, with buffers to multiply them in.
    private record Model(String name, CpuDevice device, List<Matrix> matrices, Buffer x, Buffer y, long bytes) {
        static Model of(String format, int threads, int groupSize, int tokens, List<Weight> weights) {
            int colon = format.indexOf(':');
            Activations activations = colon < 0
                    ? Activations.F32
                    : Activations.valueOf(format.substring(colon + 1).toUpperCase(Locale.ROOT));
            CpuDevice device = CpuDevice.open(new CpuOptions(threads, true, null, activations));
            List<Matrix> matrices = weights.stream().map(device::prepare).toList();
            Buffer x = device.allocate((long) tokens * Llama1b.INTERMEDIATE);
            float[] ones = new float[Math.toIntExact(x.length())];
            Arrays.fill(ones, 0.01f);
            device.write(ones, x, 0);
            Buffer y = device.allocate((long) tokens * Llama1b.VOCABULARY);
            long bytes = weights.stream().mapToLong(Weight::bytes).sum();
            return new Model(format + " g" + groupSize + " t" + threads, device, matrices, x, y, bytes);
        }

        long time(int tokens) {
            long start = System.nanoTime();
            for (Matrix matrix : matrices) {
                device.matmul(matrix, x, tokens, y);
            }
            return System.nanoTime() - start;
        }
    }

    public static void main(String[] args) {
        String[] formats = args[0].split(",", -1);
        int[] threads = Arrays.stream(args[1].split(",", -1))
                .mapToInt(Integer::parseInt)
                .toArray();
        int tokens = args.length > 2 ? Integer.parseInt(args[2]) : 1;
        int rounds = args.length > 3 ? Integer.parseInt(args[3]) : 30;
        int groupSize = args.length > 4 ? Integer.parseInt(args[4]) : 128;
        List<Model> models = new ArrayList<>();
        for (String format : formats) {
            List<Weight> weights = Llama1b.linears().stream()
                    .map(linear ->
                            RandomWeight.of(format.replaceFirst(":.*", ""), linear.rows(), linear.columns(), groupSize))
                    .toList();
            for (int count : threads) {
                models.add(Model.of(format, count, groupSize, tokens, weights));
            }
        }
        long[][] times = new long[models.size()][rounds];
        for (int round = -5; round < rounds; round++) {
            for (int i = 0; i < models.size(); i++) {
                long nanos = models.get(i).time(tokens);
                if (round >= 0) {
                    times[i][round] = nanos;
                }
            }
        }
        for (int i = 0; i < models.size(); i++) {
            Arrays.sort(times[i]);
            Model model = models.get(i);
            double median = times[i][rounds / 2] / 1e9;
            double best = times[i][0] / 1e9;
            System.out.printf(
                    "%-20s median %7.2f tokens/s %6.2f GB/s   best %7.2f tokens/s %6.2f GB/s%n",
                    model.name(),
                    tokens / median,
                    model.bytes() / median / 1e9,
                    tokens / best,
                    model.bytes() / best / 1e9);
        }
    }
}
