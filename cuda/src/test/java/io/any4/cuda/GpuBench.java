package io.any4.cuda;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/// Measures the matrix products on a real GPU: `tools/gpu-bench.sh` runs it.
///
/// Weights rotate through at least 512 MB, so that they come from memory and not from the cache; the launches
/// of a round are one graph, timed by events; the median of the rounds counts.
final class GpuBench {
    private static final long ROTATION = 512L << 20;
    private static final int ROUNDS = 15;

    private final DriverGpu gpu;
    private final Context context;
    private final RandomWeights random = new RandomWeights(42);
    private double copyBandwidth;

    private GpuBench(DriverGpu gpu) {
        this.gpu = gpu;
        this.context = gpu.context();
    }

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        long start = System.nanoTime();
        try (DriverGpu gpu = new DriverGpu(GpuInfo.find(0), Activation.BF16)) {
            System.out.printf("%s; kernels ready after %.2f s%n", gpu.describe(), (System.nanoTime() - start) / 1e9);
            GpuBench bench = new GpuBench(gpu);
            bench.measureCopy();
            bench.run(args.length == 0 ? "all" : args[0]);
        }
    }

    private void run(String what) {
        System.out.println("format    rows  columns  group  tokens   microseconds      GB/s   of copy");
        boolean quick = what.equals("quick");
        int[][] shapes = quick
                ? new int[][] {{4096, 4096}, {8192, 8192}}
                : new int[][] {
                    {1024, 1024}, {2048, 2048}, {4096, 4096}, {8192, 8192}, {6144, 4096}, {28672, 4096}, {4096, 14336}
                };
        int[] batches = {1, 2, 4, 8, 16, 32, 64};
        for (int[] shape : shapes) {
            for (int tokens : batches) {
                measure(Kind.ANY4, shape[0], shape[1], 128, tokens);
            }
            for (Kind kind : new Kind[] {Kind.INT4, Kind.INT8, Kind.DENSE}) {
                measure(kind, shape[0], shape[1], 128, 1);
                measure(kind, shape[0], shape[1], 128, 16);
            }
        }
        if (!quick) {
            measure(Kind.ANY4, 8192, 8192, 64, 1);
            measure(Kind.ANY4, 8192, 8192, 32, 1);
            measure(Kind.MX4, 8192, 8192, 32, 1);
            measure(Kind.NF4, 8192, 8192, 64, 1);
        }
    }

    private void measureCopy() {
        long bytes = 2L << 30;
        long from = context.allocate(bytes);
        long to = context.allocate(bytes);
        context.zero(from, bytes);
        double seconds = median(() -> context.copy(from, to, bytes));
        copyBandwidth = 2.0 * bytes / seconds;
        System.out.printf("copy bandwidth, read and written: %.0f GB/s%n", copyBandwidth / 1e9);
        context.free(from);
        context.free(to);
    }

    private void measure(Kind kind, int rows, int columns, int group, int tokens) {
        Weight weight = random.weight(kind, rows, columns, group);
        List<CudaMatrix> copies = new ArrayList<>();
        long bytes;
        try (Arena arena = Arena.ofShared()) {
            PackedWeight packed = new WeightPacker(Activation.BF16, arena).pack(weight);
            bytes = bytes(packed);
            for (long total = 0; total < ROTATION; total += bytes) {
                copies.add(CudaMatrix.upload(gpu, weight, packed));
            }
        }
        CudaBuffer x = buffer((long) tokens * columns);
        CudaBuffer y = buffer((long) tokens * rows);
        gpu.upload(java.lang.foreign.MemorySegment.ofArray(random.activations(tokens * columns)), x.address());
        Packing packing = new Packing(gpu);
        CudaMatrix first = copies.getFirst();
        Packing.Area area = packing.begin(new Packing.Key(x, tokens, first.paddedColumns(), first.group()));
        gpu.launch(Launches.pack(x, columns, area));
        List<Launch> launches = new ArrayList<>();
        for (CudaMatrix w : copies) {
            Op.MatMul op = new Op.MatMul(w, x, tokens, y);
            launches.add(GemmGroup.gather(List.of(op), 0, op).launch(area));
        }
        gpu.synchronize();
        double seconds;
        try (Gpu.Replay replay = gpu.prepare(launches)) {
            seconds = median(replay::launch) / copies.size();
        }
        System.out.printf(
                "%-6s %7d  %7d  %5d  %6d   %12.2f  %8.0f    %4.0f %%%n",
                kind,
                rows,
                columns,
                group,
                tokens,
                seconds * 1e6,
                bytes / seconds / 1e9,
                100 * bytes / seconds / copyBandwidth);
        copies.forEach(w -> w.free(gpu));
        packing.free();
        gpu.free(x.address());
        gpu.free(y.address());
    }

    private CudaBuffer buffer(long length) {
        return new CudaBuffer(gpu.allocate(length * 4), length);
    }

    private static long bytes(PackedWeight packed) {
        return packed.codes().byteSize()
                + (packed.tables() == null ? 0 : packed.tables().byteSize())
                + (packed.scales() == null ? 0 : packed.scales().byteSize());
    }

    private double median(Runnable work) {
        double[] seconds = new double[ROUNDS];
        long begin = context.event();
        long end = context.event();
        for (int i = -2; i < ROUNDS; i++) {
            context.mark(begin);
            work.run();
            context.mark(end);
            float milliseconds = context.elapsed(begin, end);
            if (i >= 0) {
                seconds[i] = milliseconds / 1e3;
            }
        }
        context.destroyEvent(begin);
        context.destroyEvent(end);
        Arrays.sort(seconds);
        return seconds[ROUNDS / 2];
    }
}
