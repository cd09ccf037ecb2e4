package io.any4.cuda;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.cuda.ptx.Counters;
import io.any4.tinygemm.Weight;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Locale;

/// What a matrix kernel executes per weight, counted by the interpreter: how kernels are judged where nothing can be
/// timed. `tools/kernel-costs.sh` prints the table of docs/gpu.md.
/// The rows are as many as a block of the kernels with activations in shared memory has of 8192 x 8192 weights on a
/// Hopper.
///
/// @param counters of one launch
/// @param weights that it multiplied
record KernelCosts(Counters counters, long weights) {
    private static final int ROWS = 256;
    private static final int COLUMNS = 8192;
    private static final double LANES = 32;

    /// Lane operations that a multiprocessor of Hopper issues per clock, and takes of integers and logic.
    private static final double ISSUED = 128;

    private static final double LOGIC = 64;

    /// Few multiprocessors, so that blocks have several row tiles as they do in large matrices.
    private static final Chip CHIP = new Chip(1, 228 << 10);

    /// Prints the table of all formats and batches.
    public static void main(String[] args) {
        Locale.setDefault(Locale.ROOT);
        System.out.println("| weights | batch | kernel | instructions | logic | permutes | cache rounds | shared rounds"
                + " | bytes copied | weights per clock |");
        System.out.println("|---|---|---|---|---|---|---|---|---|---|");
        for (Kind kind : new Kind[] {Kind.ANY4, Kind.INT4, Kind.INT8, Kind.DENSE}) {
            for (int tokens : new int[] {1, 8, 16, 32, 64}) {
                for (KernelSet kernels : new KernelSet[] {KernelSet.BF16_SM80, KernelSet.BF16_SM90}) {
                    print(kind, tokens, kernels);
                }
            }
        }
    }

    private static void print(Kind kind, int tokens, KernelSet kernels) {
        KernelCosts costs = of(kernels, kind, tokens);
        System.out.printf(
                "| %s | %d | %s | %.2f | %.2f | %.2f | %.4f | %.4f | %.3f | %.0f |%n",
                kind.toString().toLowerCase(Locale.ROOT),
                tokens,
                kernels.streams() ? "streams" : "registers",
                costs.instructions(),
                costs.logic(),
                costs.of("prmt"),
                costs.cacheRounds(),
                costs.sharedRounds(),
                costs.copiedBytes(),
                costs.weightsPerClock());
    }

    /// The product of a matrix in groups of 128 with some tokens.
    static KernelCosts of(KernelSet kernels, Kind kind, int tokens) {
        Weight weight = new RandomWeights(41).weight(kind, ROWS, COLUMNS, 128);
        SimGpu gpu = new SimGpu(kernels, CHIP);
        CudaBuffer x = new CudaBuffer(gpu.allocate(4L * tokens * COLUMNS), (long) tokens * COLUMNS);
        CudaBuffer y = new CudaBuffer(gpu.allocate(4L * tokens * ROWS), (long) tokens * ROWS);
        gpu.zero(x.address(), 4L * tokens * COLUMNS);
        CudaMatrix w;
        try (Arena arena = Arena.ofShared()) {
            w = CudaMatrix.upload(gpu, weight, new WeightPacker(Activation.BF16, arena).pack(weight));
        }
        Packing.Area area = new Packing(gpu).begin(new Packing.Key(x, tokens, w.paddedColumns(), w.group()));
        gpu.launch(Launches.pack(x, COLUMNS, area));
        gpu.machine().resetCounters();
        Op.MatMul op = new Op.MatMul(w, x, tokens, y);
        gpu.launch(new Products(gpu).launch(GemmGroup.gather(List.of(op), 0, op), area));
        return new KernelCosts(gpu.machine().counters(), (long) ROWS * COLUMNS);
    }

    /// Lane operations, without moves, which a compiler removes.
    double instructions() {
        return lanes(counters.total() - counters.of("mov"));
    }

    /// Lane operations on integers and bits.
    double logic() {
        return lanes(counters.logic());
    }

    /// Lane operations of one instruction.
    double of(String name) {
        return lanes(counters.of(name));
    }

    private double lanes(long instructions) {
        return instructions * LANES / weights;
    }

    /// Rounds through the first-level cache: a multiprocessor does one a clock, of these or of the next.
    double cacheRounds() {
        return (double) counters.globalWavefronts() / weights;
    }

    double sharedRounds() {
        return (double) counters.sharedWavefronts() / weights;
    }

    /// Bytes that bulk copies bring.
    double copiedBytes() {
        return (double) counters.copiedBytes() / weights;
    }

    /// The most that issue, logic, and cache and shared memory together allow a multiprocessor of Hopper. Memory brings
    /// about 24 4-bit weights per clock on an H100, 12 of 8 bits, 6 of 16.
    double weightsPerClock() {
        return Math.min(Math.min(ISSUED / instructions(), LOGIC / logic()), 1 / (cacheRounds() + sharedRounds()));
    }
}
