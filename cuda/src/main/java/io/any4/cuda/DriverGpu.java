package io.any4.cuda;

import java.lang.foreign.MemorySegment;
import java.util.List;

/// A GPU behind the NVIDIA driver.
final class DriverGpu implements Gpu {
    /// The driver whose graphs keep programmatic dependencies.
    private static final int DEPENDENT_LAUNCH_IN_GRAPHS = 12030;

    private final GpuInfo info;
    private final Context context;
    private final KernelModule kernels;

    /// Opens the GPU on the calling thread, the only one that may use it.
    DriverGpu(GpuInfo info, Activation activation) {
        this.info = info;
        context = new Context(info);
        KernelSet set = KernelSet.of(activation, info.capability());
        boolean dependent = set.dependentLaunch() && info.driver() >= DEPENDENT_LAUNCH_IN_GRAPHS;
        kernels = new KernelModule(set.ptx(), context.stream(), dependent);
    }

    Context context() {
        return context;
    }

    @Override
    public String describe() {
        return info.describe();
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
        kernels.launch(launch);
    }

    @Override
    public Replay prepare(List<Launch> launches) {
        return new CapturedGraph(context.stream(), kernels, launches);
    }

    @Override
    public void synchronize() {
        context.synchronize();
    }

    @Override
    public void close() {
        kernels.close();
        context.close();
    }
}
