package io.any4.cuda.ptx;

import java.util.Map;

/// Runs kernels of a PTX text over a memory.
public final class Machine {
    private final Map<String, Kernel> kernels;
    private final GlobalMemory memory = new GlobalMemory();
    private Counters counters = new Counters();
    private int launches;

    public Machine(String ptx) {
        kernels = PtxParser.parse(ptx);
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
        return kernels.keySet();
    }

    /// @param threads per block, a multiple of 32
    /// @throws PtxException if the kernel does what it must not
    public void launch(String name, int gridX, int gridY, int gridZ, int threads, byte[] parameters) {
        Kernel kernel = kernels.get(name);
        if (kernel == null) {
            throw new PtxException("no such kernel: " + name);
        }
        if (parameters.length != kernel.parameterBytes()) {
            throw new PtxException("%s takes %d bytes of parameters, not %d"
                    .formatted(name, kernel.parameterBytes(), parameters.length));
        }
        launches++;
        int block = 0;
        for (int z = 0; z < gridZ; z++) {
            for (int y = 0; y < gridY; y++) {
                for (int x = 0; x < gridX; x++) {
                    runBlock(kernel, parameters, threads, block++, x, y, z);
                }
            }
        }
    }

    private void runBlock(Kernel kernel, byte[] parameters, int threads, int block, int x, int y, int z) {
        SharedMemory shared = new SharedMemory(kernel.sharedBytes());
        MemoryAccess access = new MemoryAccess(memory, shared, parameters, launches, block * threads);
        Warp[] warps = new Warp[threads / Warp.LANES];
        for (int i = 0; i < warps.length; i++) {
            warps[i] = new Warp(kernel, access, counters, i * Warp.LANES);
            warps[i].set("%tid.x", (long) i * Warp.LANES, 1);
            warps[i].set("%ntid.x", threads, 0);
            warps[i].set("%ctaid.x", x, 0);
            warps[i].set("%ctaid.y", y, 0);
            warps[i].set("%ctaid.z", z, 0);
        }
        while (runToBarrier(warps)) {
            shared.barrier();
        }
    }

    /// Whether the warps wait at a barrier, which they may then pass, rather than having ended.
    private static boolean runToBarrier(Warp[] warps) {
        boolean waiting = false;
        for (Warp warp : warps) {
            warp.run();
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
}
