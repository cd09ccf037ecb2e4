package io.any4.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// A GPU behind the NVIDIA driver.
final class DriverGpu implements Gpu {
    /// The driver whose graphs keep programmatic dependencies.
    private static final int DEPENDENT_LAUNCH_IN_GRAPHS = 12030;

    private final GpuInfo info;
    private final KernelSet set;
    private final Context context;
    private final KernelModule module;

    /// Opens the GPU on the calling thread, the only one that may use it.
    DriverGpu(GpuInfo info, KernelSet set) {
        this.info = info;
        this.set = set;
        context = new Context(info);
        boolean dependent = set.dependentLaunch() && info.driver() >= DEPENDENT_LAUNCH_IN_GRAPHS;
        module = new KernelModule(set.ptx(), context.stream(), dependent);
    }

    Context context() {
        return context;
    }

    @Override
    public String describe() {
        return info.describe() + ", " + set.describe();
    }

    @Override
    public Chip chip() {
        return info.chip();
    }

    @Override
    public KernelSet kernels() {
        return set;
    }

    @Override
    public long allocate(long bytes) {
        return context.allocate(bytes);
    }

    @Override
    public void free(long address) {
        context.free(address);
    }

    @Override
    public void zero(long address, long bytes) {
        context.zero(address, bytes);
    }

    @Override
    public void upload(MemorySegment source, long target) {
        context.upload(source, target);
    }

    @Override
    public void download(long source, MemorySegment target) {
        context.download(source, target);
    }

    @Override
    public void launch(Launch launch) {
        module.launch(launch);
    }

    @Override
    public Replay prepare(List<Launch> launches) {
        return new CapturedGraph(context.stream(), module, launches);
    }

    @Override
    public void synchronize() {
        context.synchronize();
    }

    @Override
    public void close() {
        module.close();
        context.close();
    }
}
