package io.any4.bench;

import io.any4.tinygemm.Accelerator;
import io.any4.tinygemm.Activations;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Matrix;
import io.any4.tinygemm.Weight;
import java.util.Arrays;
import java.util.List;
import java.util.ServiceLoader;
import java.util.SplittableRandom;

/// How fast many tokens are multiplied at once, for the shapes of a [Llama1b]: `PrefillProducts any4,bf16 1,2
/// [none,int14,int8,onednn] [tokens] [rounds] [group]`; `int14` and `int8` stand for such activations. All of
/// them take turns; every result is checked first.
final class PrefillProducts {
    private static final List<Llama1b.Linear> SHAPES = List.of(
            new Llama1b.Linear(Llama1b.KV_WIDTH, Llama1b.HIDDEN),
            new Llama1b.Linear(Llama1b.HIDDEN, Llama1b.HIDDEN),
            new Llama1b.Linear(Llama1b.INTERMEDIATE, Llama1b.HIDDEN),
            new Llama1b.Linear(Llama1b.HIDDEN, Llama1b.INTERMEDIATE));

    private PrefillProducts() {}

    /// One matrix, on a device of its own.
    private record Case(
            String name, int threads, double tolerance, CpuDevice device, Matrix matrix, Buffer x, Buffer y) {
        static Case of(
                String format, int threads, String accelerator, int groupSize, Llama1b.Linear shape, int tokens) {
            CpuDevice device = CpuDevice.open(options(threads, accelerator));
            Weight weight = RandomWeight.of(format, shape.rows(), shape.columns(), groupSize);
            Buffer x = device.allocate((long) tokens * shape.columns());
            SplittableRandom random = new SplittableRandom(7);
            float[] values = new float[Math.toIntExact(x.length())];
            for (int i = 0; i < values.length; i++) {
                values[i] = random.nextFloat() - 0.5f;
            }
            device.write(values, x, 0);
            String name = "%-5s %5d x %4d, %d tokens, %d threads, %-6s"
                    .formatted(format, shape.rows(), shape.columns(), tokens, threads, accelerator);
            Buffer y = device.allocate((long) tokens * shape.rows());
            return new Case(name, threads, tolerance(accelerator), device, device.prepare(weight), x, y);
        }

        private static CpuOptions options(int threads, String accelerator) {
            return switch (accelerator) {
                case "none" -> new CpuOptions(threads, true);
                case "int14" -> new CpuOptions(threads, true, null, Activations.INT14);
                case "int8" -> new CpuOptions(threads, true, null, Activations.INT8);
                default -> new CpuOptions(threads, true, find(accelerator), Activations.F32);
            };
        }

        private static double tolerance(String accelerator) {
            return switch (accelerator) {
                case "none" -> Tolerance.of(Activations.F32);
                case "int14" -> Tolerance.of(Activations.INT14);
                case "int8" -> Tolerance.of(Activations.INT8);
                default -> 4e-3;
            };
        }

        private static Accelerator find(String name) {
            return ServiceLoader.load(Accelerator.class).stream()
                    .map(ServiceLoader.Provider::get)
                    .filter(accelerator -> accelerator.name().equals(name))
                    .findFirst()
                    .orElseThrow();
        }

        double gigaFlops(int tokens) {
            long start = System.nanoTime();
            device.matmul(matrix, x, tokens, y);
            double operations = 2.0 * tokens * matrix.rows() * matrix.columns();
            return operations / (System.nanoTime() - start) / threads;
        }

        /// Compares some results with sums in double.
        void check(int tokens) {
            device.matmul(matrix, x, tokens, y);
            float[] inputs = floats(x);
            float[] outputs = floats(y);
            float[] row = new float[matrix.columns()];
            for (int r = 0; r < matrix.rows(); r += 97) {
                matrix.weight().dequantizeRow(r, row, 0);
                for (int t = r % 7; t < tokens; t += 7) {
                    check(row, inputs, t * row.length, outputs[t * matrix.rows() + r]);
                }
            }
        }

        private void check(float[] row, float[] inputs, int at, float actual) {
            double sum = 0;
            double magnitude = 0;
            for (int c = 0; c < row.length; c++) {
                double product = (double) row[c] * inputs[at + c];
                sum += product;
                magnitude += Math.abs(product);
            }
            if (!(Math.abs(actual - sum) <= tolerance * magnitude)) {
                throw new IllegalStateException("%s: %s instead of %s".formatted(name, actual, sum));
            }
        }

        private float[] floats(Buffer buffer) {
            float[] out = new float[Math.toIntExact(buffer.length())];
            device.read(buffer, 0, out, out.length);
            return out;
        }
    }

    public static void main(String[] args) {
        String[] accelerators = (args.length > 2 ? args[2] : "none").split(",", -1);
        int tokens = args.length > 3 ? Integer.parseInt(args[3]) : 512;
        int rounds = args.length > 4 ? Integer.parseInt(args[4]) : 9;
        int groupSize = args.length > 5 ? Integer.parseInt(args[5]) : 128;
        List<Case> cases = Arrays.stream(args[0].split(",", -1))
                .flatMap(format -> SHAPES.stream()
                        .flatMap(shape -> Arrays.stream(args[1].split(",", -1))
                                .flatMap(threads -> Arrays.stream(accelerators)
                                        .map(accelerator -> Case.of(
                                                format,
                                                Integer.parseInt(threads),
                                                accelerator,
                                                groupSize,
                                                shape,
                                                tokens)))))
                .toList();
        cases.forEach(each -> each.check(tokens));
        double[][] speeds = new double[cases.size()][rounds];
        double[][] shares = new double[cases.size()][rounds];
        for (int round = -3; round < rounds; round++) {
            for (int i = 0; i < cases.size(); i++) {
                double before = MultiplyAdds.gigaFlops();
                double speed = cases.get(i).gigaFlops(tokens);
                double best = Math.max(before, MultiplyAdds.gigaFlops());
                if (round >= 0) {
                    speeds[i][round] = speed;
                    shares[i][round] = speed / best;
                }
            }
        }
        for (int i = 0; i < cases.size(); i++) {
            Arrays.sort(speeds[i]);
            Arrays.sort(shares[i]);
            System.out.printf(
                    "%s: median %6.1f, best %6.1f GFLOP/s per thread, median %3.0f %% of MultiplyAdds%n",
                    cases.get(i).name(), speeds[i][rounds / 2], speeds[i][rounds - 1], 100 * shares[i][rounds / 2]);
        }
    }
}
