package io.any4.bench;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.util.concurrent.TimeUnit;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// The ceiling of every product of weights in memory: reading, and nothing else, with as many threads as JMH is told.
///
/// A thread reads four stretches at once, as the kernels do.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(
        value = 1,
        jvmArgsAppend = {"--add-modules", "jdk.incubator.vector", "--enable-native-access=ALL-UNNAMED"})
public class ReadBenchmark {
    /// Bytes that each thread reads in one operation.
    static final long BYTES = 512L << 20;

    private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
    private static final long STEP = 4L * INTS.length();

    private final MemorySegment memory = filled();

    private static MemorySegment filled() {
        MemorySegment memory = Arena.ofAuto().allocate(BYTES, 64);
        memory.fill((byte) 1);
        return memory;
    }

    @Benchmark
    public int read() {
        long quarter = BYTES / 4;
        MemorySegment m0 = memory.asSlice(0, quarter);
        MemorySegment m1 = memory.asSlice(quarter, quarter);
        MemorySegment m2 = memory.asSlice(2 * quarter, quarter);
        MemorySegment m3 = memory.asSlice(3 * quarter, quarter);
        IntVector a0 = IntVector.zero(INTS);
        IntVector a1 = a0;
        IntVector a2 = a0;
        IntVector a3 = a0;
        for (long at = 0; at < quarter; at += STEP) {
            a0 = a0.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(INTS, m0, at, ByteOrder.LITTLE_ENDIAN));
            a1 = a1.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(INTS, m1, at, ByteOrder.LITTLE_ENDIAN));
            a2 = a2.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(INTS, m2, at, ByteOrder.LITTLE_ENDIAN));
            a3 = a3.lanewise(VectorOperators.XOR, IntVector.fromMemorySegment(INTS, m3, at, ByteOrder.LITTLE_ENDIAN));
        }
        return a0.add(a1).add(a2).add(a3).reduceLanes(VectorOperators.ADD);
    }
}
