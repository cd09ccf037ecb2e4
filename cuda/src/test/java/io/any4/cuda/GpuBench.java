package io.any4.cuda;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Locale;

/// Measures the matrix products on a real GPU: `tools/gpu-bench.sh` runs it.
///
/// Both kinds of kernels are timed side by side where the chip runs both: those of Ampere, which load weights to
/// registers, and those of Hopper, which stream them through shared memory. Weights rotate through at least 512 MB,
/// so that they come from memory; the time of one weight again and again, which the second-level cache then holds,
/// is given apart. The launches of a round are one graph, timed by events; the median of the rounds counts.
final class GpuBench {
    private static final long ROTATION = 512L << 20;
    private static final int WARM_LAUNCHES = 20;
    private static final int ROUNDS = 15;

    /// Numbers of rows and columns that there are bars for.
    private static final List<Integer> BAR_SHAPES = List.of(4096, 8192);

    /// A product with the newest kernels, its weights from memory.
    ///
    /// @param share of the copy bandwidth
    private record Result(double seconds, double share) {}

    /// The GPU with one set of kernels.
    private record Way(DriverGpu gpu, Products products) {
        static Way of(GpuInfo info, int newest) {
            DriverGpu gpu = new DriverGpu(info, KernelSet.of(Activation.BF16, Math.min(info.capability(), newest)));
            return new Way(gpu, new Products(gpu));
        }
    }

    private final Way plain;
    private final Way newest;
    private final DriverGpu gpu;
    private final RandomWeights random = new RandomWeights(42);
    private double copyBandwidth;

    private GpuBench(Way plain, Way newest) {
        this.plain = plain;
        this.newest = newest;
        gpu = newest.gpu;
    }

    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        long start = System.nanoTime();
        GpuInfo info = GpuInfo.find(0);
        Way newest = Way.of(info, KernelSet.NEWEST);
        System.out.printf("%s; ready after %.2f s%n", newest.gpu.describe(), (System.nanoTime() - start) / 1e9);
        Way plain = newest.gpu.kernels().streams() ? Way.of(info, 80) : newest;
        GpuBench bench = new GpuBench(plain, newest);
        bench.measureCopy();
        bench.run(args.length == 0 ? "all" : args[0]);
        newest.gpu.close();
        if (plain != newest) {
            plain.gpu.close();
        }
    }

    private void run(String what) {
        System.out.println("format    rows  columns  group  tokens   registers    streamed      GB/s   of copy"
                + "   registers, cached    streamed, cached");
        boolean quick = what.equals("quick");
        int[][] shapes = quick
                ? new int[][] {{4096, 4096}, {8192, 8192}}
                : new int[][] {
                    {1024, 1024}, {2048, 2048}, {4096, 4096}, {8192, 8192}, {6144, 4096}, {28672, 4096}, {4096, 14336}
                };
        List<Bar> bars = new ArrayList<>();
        for (int[] shape : shapes) {
            measureShape(shape[0], shape[1], bars);
        }
        if (!quick) {
            measure(Kind.ANY4, 8192, 8192, 64, 1);
            measure(Kind.ANY4, 8192, 8192, 32, 1);
            measure(Kind.MX4, 8192, 8192, 32, 1);
            measure(Kind.NF4, 8192, 8192, 64, 1);
        }
        bars.forEach(System.out::println);
    }

    /// Measures a shape with all formats and batches, and compares what there are bars for.
    private void measureShape(int rows, int columns, List<Bar> bars) {
        boolean held = rows == columns && BAR_SHAPES.contains(rows);
        String shape = "%d x %d, ".formatted(rows, columns);
        Result first = measure(Kind.ANY4, rows, columns, 128, 1);
        for (int tokens : new int[] {2, 4, 8, 16, 32, 64}) {
            Result result = measure(Kind.ANY4, rows, columns, 128, tokens);
            if (held && tokens <= 16) {
                String what = shape + "any4: time of batch %d by batch 1".formatted(tokens);
                bars.add(Bar.atMost(1.3, what, result.seconds / first.seconds));
            }
        }
        for (Kind kind : new Kind[] {Kind.INT4, Kind.INT8, Kind.DENSE}) {
            Result one = measure(kind, rows, columns, 128, 1);
            measure(kind, rows, columns, 128, 16);
            if (held && kind == Kind.INT4) {
                bars.add(Bar.atMost(1.05, shape + "batch 1: time of any4 by int4", first.seconds / one.seconds));
            }
        }
        if (held && rows == 8192) {
            bars.add(Bar.atLeast(0.75, shape + "batch 1: share of copy bandwidth", first.share));
        }
    }

    private void measureCopy() {
        Context context = gpu.context();
        long bytes = 2L << 30;
        long from = context.allocate(bytes);
        long to = context.allocate(bytes);
        context.zero(from, bytes);
        double seconds = median(context, () -> context.copy(from, to, bytes));
        copyBandwidth = 2.0 * bytes / seconds;
        System.out.printf("copy bandwidth, read and written: %.0f GB/s%n", copyBandwidth / 1e9);
        context.free(from);
        context.free(to);
    }

    private Result measure(Kind kind, int rows, int columns, int group, int tokens) {
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
        gpu.synchronize();
        List<CudaMatrix> again = Collections.nCopies(WARM_LAUNCHES, first);
        double cold = seconds(newest, copies, x, tokens, y, area);
        double warm = seconds(newest, again, x, tokens, y, area);
        boolean both = plain != newest;
        System.out.printf(
                "%-6s %7d  %7d  %5d  %6d   %9.2f   %9.2f  %8.0f    %4.0f %%   %17.2f   %17.2f%n",
                kind,
                rows,
                columns,
                group,
                tokens,
                1e6 * (both ? seconds(plain, copies, x, tokens, y, area) : cold),
                1e6 * (streams() ? cold : Double.NaN),
                bytes / cold / 1e9,
                100 * bytes / cold / copyBandwidth,
                1e6 * (both ? seconds(plain, again, x, tokens, y, area) : warm),
                1e6 * (streams() ? warm : Double.NaN));
        copies.forEach(w -> w.free(gpu));
        packing.free();
        gpu.free(x.address());
        gpu.free(y.address());
        return new Result(cold, bytes / cold / copyBandwidth);
    }

    private CudaBuffer buffer(long length) {
        return new CudaBuffer(gpu.allocate(length * 4), length);
    }

    private static long bytes(PackedWeight packed) {
        return packed.codes().byteSize()
                + (packed.tables() == null ? 0 : packed.tables().byteSize())
                + (packed.scales() == null ? 0 : packed.scales().byteSize());
    }

    private boolean streams() {
        return newest.gpu.kernels().streams();
    }

    /// Seconds per product with each of some weights.
    private static double seconds(
            Way way, List<CudaMatrix> weights, CudaBuffer x, int tokens, CudaBuffer y, Packing.Area area) {
        List<Launch> launches = new ArrayList<>();
        for (CudaMatrix w : weights) {
            Op.MatMul op = new Op.MatMul(w, x, tokens, y);
            launches.add(way.products.launch(GemmGroup.gather(List.of(op), 0, op), area));
        }
        way.gpu.synchronize();
        try (Gpu.Replay replay = way.gpu.prepare(launches)) {
            return median(way.gpu.context(), replay::launch) / weights.size();
        }
    }

    private static double median(Context context, Runnable work) {
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
