package io.any4.cuda.ptx;

import java.util.HashMap;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Runs kernels of a PTX text over a memory.
public final class Machine {
    /// Registers that a launch sets.
    private static final Set<String> SPECIALS =
            Set.of("%tid.x", "%ntid.x", "%ctaid.x", "%ctaid.y", "%ctaid.z", "%nctaid.x", "%nctaid.y");

    /// Of a block on Hopper.
    private static final int MOST_SHARED_BYTES = 227 << 10;

    private final Map<String, PtxParser.Source> sources;
    private final Map<String, Kernel> kernels = new HashMap<>();
    private final GlobalMemory memory = new GlobalMemory();
    private Counters counters = new Counters();
    private int launches;

    public Machine(String ptx) {
        sources = PtxParser.split(ptx);
    }

    public GlobalMemory memory() {
        return memory;
    }

    /// What ran since [#resetCounters].
    public Counters counters() {
        return counters;
    }

    public void resetCounters() {
        counters = new Counters();
    }

    /// Names of all kernels.
    public java.util.Set<String> kernels() {
        return sources.keySet();
    }

    private Kernel kernel(String name) {
        PtxParser.Source source = sources.get(name);
        if (source == null) {
            throw new PtxException("no such kernel: " + name);
        }
        return kernels.computeIfAbsent(name, key -> known(PtxParser.decode(source)));
    }

    private static Kernel known(Kernel kernel) {
        Set<String> unknown = new TreeSet<>(kernel.specials().keySet());
        unknown.removeAll(SPECIALS);
        if (!unknown.isEmpty()) {
            throw new PtxException("unknown registers in %s: %s".formatted(kernel.name(), unknown));
        }
        return kernel;
    }

    /// Decodes every kernel.
    ///
    /// @throws PtxException if an instruction is unknown
    public void decodeAll() {
        sources.keySet().forEach(this::kernel);
    }

    /// @param threads per block, a multiple of 32
    /// @param sharedBytes shared memory on top of what the kernel declares
    /// @throws PtxException if the kernel does what it must not
    public void launch(String name, int gridX, int gridY, int gridZ, int threads, int sharedBytes, byte[] parameters) {
        Kernel kernel = kernel(name);
        if (parameters.length != kernel.parameterBytes()) {
            throw new PtxException("%s takes %d bytes of parameters, not %d"
                    .formatted(name, kernel.parameterBytes(), parameters.length));
        }
        if (kernel.sharedBytes() + sharedBytes > MOST_SHARED_BYTES) {
            throw new PtxException("%s takes %d bytes of shared memory, more than a block can have"
                    .formatted(name, kernel.sharedBytes() + sharedBytes));
        }
        Launched launched =
                new Launched(kernel, gridX, gridY, threads, sharedBytes, parameters, ++launches, new HashMap<>());
        int block = 0;
        for (int z = 0; z < gridZ; z++) {
            for (int y = 0; y < gridY; y++) {
                for (int x = 0; x < gridX; x++) {
                    runBlock(launched, block++, x, y, z);
                }
            }
        }
    }

    /// @param told what atomics have told, by address
    private record Launched(
            Kernel kernel,
            int gridX,
            int gridY,
            int threads,
            int sharedBytes,
            byte[] parameters,
            int epoch,
            Map<Long, Map<Integer, int[]>> told) {}

    private void runBlock(Launched launched, int block, int x, int y, int z) {
        Kernel kernel = launched.kernel;
        int threads = launched.threads;
        Order order = new Order(block, threads);
        SharedMemory shared = new SharedMemory(kernel.sharedBytes() + launched.sharedBytes, order, threads);
        BulkCopies copies = new BulkCopies(order, shared, memory);
        Accessor accessor = new Accessor(launched.epoch, threads, order);
        MemoryAccess access = new MemoryAccess(memory, shared, launched.parameters, accessor, launched.told);
        Warp[] warps = new Warp[threads / Warp.LANES];
        for (int i = 0; i < warps.length; i++) {
            warps[i] = new Warp(kernel, access, copies, order, counters, i * Warp.LANES);
            warps[i].set("%tid.x", (long) i * Warp.LANES, 1);
            warps[i].set("%ntid.x", threads, 0);
            warps[i].set("%ctaid.x", x, 0);
            warps[i].set("%ctaid.y", y, 0);
            warps[i].set("%ctaid.z", z, 0);
            warps[i].set("%nctaid.x", launched.gridX, 0);
            warps[i].set("%nctaid.y", launched.gridY, 0);
        }
        while (runToBarrier(warps, copies)) {
            order.meet(0, threads);
        }
        if (copies.areUnderWay()) {
            throw new PtxException("a block of %s ends before its copies have arrived".formatted(kernel.name()));
        }
    }

    /// Whether the warps wait at a barrier, which they may then pass, rather than having ended.
    private static boolean runToBarrier(Warp[] warps, BulkCopies copies) {
        runUntilNoneStalls(warps, copies);
        boolean waiting = false;
        for (Warp warp : warps) {
            waiting |= warp.waiting();
        }
        for (Warp warp : warps) {
            if (waiting && warp.finished()) {
                throw new PtxException("some warps end while others wait at a barrier");
            }
            warp.passBarrier();
        }
        return waiting;
    }

    /// Runs all warps until they have ended or wait at the block's barrier. Copies arrive when nothing else moves.
    private static void runUntilNoneStalls(Warp[] warps, BulkCopies copies) {
        boolean hopeless = false;
        while (true) {
            boolean stalled = false;
            boolean moved = false;
            for (Warp warp : warps) {
                moved |= warp.run();
                stalled |= warp.stalled();
            }
            if (!stalled) {
                return;
            }
            if (moved) {
                hopeless = false;
            } else if (copies.areUnderWay()) {
                copies.complete();
            } else if (hopeless) {
                throw new PtxException(
                        "a warp waits forever at: " + firstStalled(warps).stalledAt());
            } else {
                hopeless = true;
            }
        }
    }

    private static Warp firstStalled(Warp[] warps) {
        for (Warp warp : warps) {
            if (warp.stalled()) {
                return warp;
            }
        }
        throw new IllegalStateException("no warp stalls");
    }
}
