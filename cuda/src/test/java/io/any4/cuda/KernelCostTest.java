package io.any4.cuda;

import static org.assertj.core.api.Assertions.assertThat;

import io.any4.cuda.RandomWeights.Kind;
import io.any4.cuda.ptx.Counters;
import io.any4.tinygemm.Weight;
import org.junit.jupiter.api.Test;

/// What the kernels execute per weight: how they are judged where nothing can be timed.
///
/// On Hopper a multiprocessor gets about 24 weights per clock from memory and does 64 lane operations of
/// integer arithmetic in that time, so decoding may cost at most 2.7 of them.
class KernelCostTest {
    private static final int ROWS = 32;
    private static final int COLUMNS = 8192;
    private static final double LANES = 32;

    @Test
    void any4TakesTwoBytePermutesPerWeight() {
        Counters counters = run(Kind.ANY4, 1);
        assertThat(perWeight(counters, "prmt")).isBetween(2.0, 2.05);
        assertThat(arithmetic(counters)).as("integer instructions per weight").isLessThan(3.5);
        assertThat(perWeight(counters, "mma")).isEqualTo(2 * LANES / 512);
    }

    @Test
    void int4TakesNoPermutes() {
        Counters counters = run(Kind.INT4, 1);
        assertThat(perWeight(counters, "prmt")).isZero();
        assertThat(arithmetic(counters)).as("integer instructions per weight").isLessThan(2.5);
    }

    @Test
    void decodingIsPaidOnceForSixtyFourTokens() {
        assertThat(perWeight(run(Kind.ANY4, 64), "prmt")).isBetween(2.0, 2.1);
    }

    @Test
    void sharedMemoryIsFreeOfBankConflictsOnTheWayIn() {
        assertThat(run(Kind.ANY4, 8).wavefrontsPerAccess()).isLessThan(2);
    }

    private static double arithmetic(Counters counters) {
        double sum = 0;
        for (String name : new String[] {"prmt", "and", "or", "shr", "shl", "add", "mul", "mad", "setp"}) {
            sum += perWeight(counters, name);
        }
        return sum;
    }

    /// Lane operations of an instruction per weight.
    private static double perWeight(Counters counters, String name) {
        return counters.of(name) * LANES / (ROWS * (double) COLUMNS);
    }

    private static Counters run(Kind kind, int tokens) {
        RandomWeights random = new RandomWeights(41);
        Weight weight = random.weight(kind, ROWS, COLUMNS, 128);
        SimGpu gpu = new SimGpu(KernelSet.BF16_SM90);
        CudaBuffer x = new CudaBuffer(gpu.allocate(4L * tokens * COLUMNS), (long) tokens * COLUMNS);
        CudaBuffer y = new CudaBuffer(gpu.allocate(4L * tokens * ROWS), (long) tokens * ROWS);
        gpu.zero(x.address(), 4L * tokens * COLUMNS);
        CudaMatrix w;
        try (java.lang.foreign.Arena arena = java.lang.foreign.Arena.ofShared()) {
            w = CudaMatrix.upload(gpu, weight, new WeightPacker(Activation.BF16, arena).pack(weight));
        }
        Packing.Area area = new Packing(gpu).begin(new Packing.Key(x, tokens, w.paddedColumns(), w.group()));
        gpu.launch(Launches.pack(x, COLUMNS, area));
        gpu.machine().resetCounters();
        Op.MatMul op = new Op.MatMul(w, x, tokens, y);
        gpu.launch(GemmGroup.gather(java.util.List.of(op), 0, op).launch(area));
        return gpu.machine().counters();
    }
}
