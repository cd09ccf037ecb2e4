package io.any4.cuda;

import io.any4.checkpoint.Checkpoint;
import io.any4.cuda.RandomWeights.Kind;
import io.any4.model.Decoder;
import io.any4.model.KvCache;
import io.any4.tinygemm.Buffer;
import io.any4.tinygemm.CpuDevice;
import io.any4.tinygemm.CpuOptions;
import io.any4.tinygemm.Device;
import io.any4.tinygemm.Weight;
import java.nio.file.Path;
import java.util.Arrays;

/// Checks every kernel on a real GPU against the double-precision oracle: `tools/gpu-bench.sh` runs it.
final class GpuCheck {
    private static final double BOUND = 4e-3;

    private int failures;

    public static void main(String[] args) {
        GpuCheck check = new GpuCheck();
        boolean streams =
                KernelSet.of(Activation.BF16, GpuInfo.find(0).capability()).streams();
        for (Activation activation : Activation.values()) {
            try (CudaDevice device = CudaDevice.open(0, activation)) {
                System.out.println(device.describe());
                check.products(device);
                if (args.length > 0) {
                    check.model(device, Path.of(args[0]));
                }
                if (streams) {
                    check.bothKernels(device, activation);
                }
            }
        }
        System.out.printf("%d failures%n", check.failures);
        System.exit(check.failures == 0 ? 0 : 1);
    }

    /// Streaming kernels give the bits that those for older chips give, twice, also where blocks share row tiles.
    private void bothKernels(Device device, Activation activation) {
        RandomWeights random = new RandomWeights(8);
        int failuresBefore = failures;
        try (CudaDevice older = CudaDevice.open(0, activation, 80)) {
            for (Kind kind : new Kind[] {Kind.ANY4, Kind.INT4, Kind.INT8, Kind.DENSE}) {
                for (int rows : new int[] {1000, 5120}) {
                    for (int tokens : new int[] {1, 8, 16, 32, 64}) {
                        Weight weight = random.weight(kind, rows, 8320, 64);
                        float[] x = random.activations(tokens * weight.columns());
                        float[] expected = product(older, weight, x, tokens);
                        for (int round = 0; round < 2; round++) {
                            if (!Arrays.equals(expected, product(device, weight, x, tokens))) {
                                failures++;
                                System.out.printf("FAIL %s rows %d tokens %d: other bits%n", kind, rows, tokens);
                            }
                        }
                    }
                }
            }
        }
        System.out.printf("streamed and loaded weights give the same bits: %s%n", failures == failuresBefore);
    }

    private void products(Device device) {
        RandomWeights random = new RandomWeights(7);
        double worst = 0;
        for (Kind kind : Kind.values()) {
            for (int group : new int[] {32, 64, 128, 256}) {
                for (int tokens : new int[] {1, 3, 8, 16, 17, 64, 100}) {
                    Weight weight = random.weight(kind, 133, 1056, group);
                    worst = Math.max(worst, product(device, weight, kind + " g" + group, tokens, random));
                }
            }
        }
        System.out.printf("products: worst relative error %.2e%n", worst);
    }

    private double product(Device device, Weight weight, String name, int tokens, RandomWeights random) {
        float[] x = random.activations(tokens * weight.columns());
        float[] y = product(device, weight, x, tokens);
        double error = Oracle.relativeError(y, Oracle.matmul(weight, x, tokens));
        if (!(error < BOUND)) {
            failures++;
            System.out.printf("FAIL %s tokens %d: relative error %.2e%n", name, tokens, error);
        }
        return error;
    }

    private static float[] product(Device device, Weight weight, float[] x, int tokens) {
        Buffer in = device.allocate(x.length);
        Buffer out = device.allocate((long) tokens * weight.rows());
        device.write(x, in, 0);
        float[] y = new float[tokens * weight.rows()];
        Arrays.fill(y, Float.NaN);
        device.write(y, out, 0);
        device.matmul(device.prepare(weight), in, tokens, out);
        device.read(out, 0, y, y.length);
        return y;
    }

    /// A small model's logits on the GPU, prompt and single steps, against the scalar CPU kernels.
    private void model(Device device, Path directory) {
        int[] ids = new int[40];
        Arrays.setAll(ids, i -> 3 + 7 * i % 200);
        float[][] expected;
        try (Device cpu = CpuDevice.open(CpuOptions.defaults());
                Checkpoint checkpoint = Checkpoint.open(directory)) {
            expected = logits(Decoder.load(checkpoint, cpu), ids);
        }
        try (Checkpoint checkpoint = Checkpoint.open(directory)) {
            float[][] actual = logits(Decoder.load(checkpoint, device), ids);
            double worst = 0;
            for (int i = 0; i < expected.length; i++) {
                double[] wide = new double[expected[i].length];
                for (int j = 0; j < wide.length; j++) {
                    wide[j] = expected[i][j];
                }
                worst = Math.max(worst, Oracle.relativeError(actual[i], wide));
            }
            failures += worst < 0.03 ? 0 : 1;
            System.out.printf("model: worst relative error of the logits %.2e%n", worst);
        }
    }

    private static float[][] logits(Decoder decoder, int[] ids) {
        KvCache cache = decoder.newCache(ids.length);
        int prompt = ids.length / 2;
        float[][] logits = new float[ids.length - prompt + 1][decoder.config().vocabSize()];
        Buffer hidden = decoder.forward(Arrays.copyOf(ids, prompt), cache);
        decoder.logits(hidden, prompt - 1, 1, logits[0]);
        for (int i = prompt; i < ids.length; i++) {
            decoder.logits(decoder.forward(new int[] {ids[i]}, cache), 0, 1, logits[i - prompt + 1]);
        }
        return logits;
    }
}
