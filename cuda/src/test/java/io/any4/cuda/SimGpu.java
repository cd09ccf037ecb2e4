package io.any4.cuda;

import io.any4.cuda.ptx.Machine;
import java.lang.foreign.MemorySegment;
import java.util.List;

/// A GPU made of the PTX interpreter: the shipped kernels run, only the driver is missing.
final class SimGpu implements Gpu {
    /// A GPU so small that few blocks share the work.
    static final Chip SMALL = new Chip(2, 228 << 10);

    private final Machine machine;
    private final KernelSet kernels;
    private final Chip chip;
    private int replays;
    private int launches;
    private int uploads;
    private int downloads;
    private long downloadedBytes;

    SimGpu(KernelSet kernels) {
        this(kernels, SMALL);
    }

    SimGpu(KernelSet kernels, Chip chip) {
        this(kernels, chip, kernels.ptx());
    }

    /// @param ptx what runs instead of the kernels as shipped
    SimGpu(KernelSet kernels, Chip chip, String ptx) {
        this.kernels = kernels;
        this.chip = chip;
        machine = new Machine(ptx);
    }

    Machine machine() {
        return machine;
    }

    /// How often a prepared sequence was launched.
    int replays() {
        return replays;
    }

    /// Copies from the host.
    int uploads() {
        return uploads;
    }

    /// Copies to the host.
    int downloads() {
        return downloads;
    }

    long downloadedBytes() {
        return downloadedBytes;
    }

    /// Kernels launched one by one, not as part of a prepared sequence.
    int launches() {
        return launches;
    }

    @Override
    public String describe() {
        return "PTX interpreter";
    }

    @Override
    public Chip chip() {
        return chip;
    }

    @Override
    public KernelSet kernels() {
        return kernels;
    }

    @Override
    public long allocate(long bytes) {
        return machine.memory().allocate(bytes);
    }

    @Override
    public void free(long address) {
        machine.memory().free(address);
    }

    @Override
    public void zero(long address, long bytes) {
        machine.memory().slice(address, bytes).fill((byte) 0);
    }

    @Override
    public void upload(MemorySegment source, long target) {
        uploads++;
        machine.memory().slice(target, source.byteSize()).copyFrom(source);
    }

    @Override
    public void download(long source, MemorySegment target) {
        downloads++;
        downloadedBytes += target.byteSize();
        target.copyFrom(machine.memory().slice(source, target.byteSize()));
    }

    @Override
    public void launch(Launch launch) {
        launches++;
        run(launch);
    }

    private void run(Launch launch) {
        machine.launch(
                launch.kernel(),
                launch.gridX(),
                launch.gridY(),
                launch.gridZ(),
                launch.threads(),
                launch.sharedBytes(),
                launch.arguments());
    }

    @Override
    public Replay prepare(List<Launch> launches) {
        return new Replay() {
            @Override
            public void launch() {
                replays++;
                launches.forEach(SimGpu.this::run);
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public void synchronize() {}

    @Override
    public void close() {}
}
